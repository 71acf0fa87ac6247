import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { clusterYaml, type Operator, operator } from './cli.ts'
import { lacks, storiesOfTheLab } from './here.ts'
import { type Lab, openLab } from './lab.ts'

storiesOfTheLab()

const MINUTES = 60_000

describe.each(['trixie', 'bookworm'] as const)('RabbitMQ on three machines of %s', suite => {
  let lab: Lab
  let ada: Operator

  const wanted = (o: { memory?: string; on?: string } = {}) =>
    clusterYaml(lab, {
      more: `components:\n  rabbitmq: {memory: ${o.memory ?? '256MiB'}, on: ${o.on ?? 'control'}}\n`,
    })

  beforeAll(async () => {
    if (lacks) return
    lab = await openLab({ suite, nodes: 3 })
    ada = await operator(lab, wanted())
  }, 10 * MINUTES)
  afterAll(() => lab?.close(), 2 * MINUTES)

  test(
    'one command makes brokers of bare machines, and they are one cluster',
    async () => {
      const up = await ada.cli('cluster', 'up', '--yes')
      expect(up, up.stderr).toMatchObject({ code: 0 })
      expect(await running(lab, 'n1')).toEqual(['n1', 'n2', 'n3'])
    },
    15 * MINUTES,
  )

  test(
    'a second run makes no step and writes nothing',
    async () => {
      const before = await held(lab)
      const again = await ada.cli('cluster', 'up')
      expect(again, again.stderr).toMatchObject({ code: 0 })
      expect(again.stdout).toContain('Nothing was changed.')
      expect(await held(lab)).toEqual(before)
    },
    2 * MINUTES,
  )

  test('clients and brokers come by TLS on the address of the node, management on loopback alone', async () => {
    const { address } = lab.node('n2')
    const client = (port: number, more = '') =>
      lab
        .node('n1')
        .ssh([
          'sh',
          '-c',
          `openssl s_client -connect ${address}:${port} -CAfile /etc/llmagentos/ca.crt -verify_return_error -verify_hostname n2.lab.internal ${more} </dev/null`,
        ])
    const tls = '/etc/llmagentos/tls/rabbitmq'
    expect(await client(5671)).toMatchObject({ code: 0 })
    expect(await client(25_672, `-cert ${tls}.crt -key ${tls}.key`)).toMatchObject({ code: 0 })
    // A broker talks to those who have a certificate of the cluster, and a cookie.
    expect(await client(25_672)).toMatchObject({ code: 1 })
    const listening = await lab.node('n2').run("ss -Htln | awk '{ print $4 }' | sort -u")
    const lines = listening.trim().split('\n')
    expect(lines).toEqual(expect.arrayContaining([`${address}:5671`, '127.0.0.1:15672', '127.0.0.1:15692']))
    expect(lines.filter(line => /:(5672|15672|15692)$/.test(line) && !line.startsWith('127.'))).toEqual([])
    expect(await lab.node('n1').run('rabbitmqctl -q list_users --no-table-headers')).toBe(
      'llmagentos\t[administrator]\n',
    )
  })

  test(
    'a broker whose machine lost its power comes back by itself',
    async () => {
      await lab.node('n2').kill()
      await vi.waitFor(async () => expect(await running(lab, 'n1')).toEqual(['n1', 'n3']), {
        timeout: 2 * MINUTES,
        interval: 2_000,
      })
      await lab.node('n2').start()
      await vi.waitFor(async () => expect(await running(lab, 'n1')).toEqual(['n1', 'n2', 'n3']), {
        timeout: 4 * MINUTES,
        interval: 2_000,
      })
      // The others see it a moment before systemd does; until then `plan` would wait for it.
      await vi.waitFor(() => lab.node('n2').run('systemctl is-active rabbitmq-server'), {
        timeout: 2 * MINUTES,
        interval: 2_000,
      })
      const plan = await ada.cli('cluster', 'plan', '--exit-code')
      expect(plan, plan.stdout).toMatchObject({ code: 0 })
    },
    8 * MINUTES,
  )

  test(
    'other settings restart the brokers one after the other, and the others serve meanwhile',
    async () => {
      ada.write(wanted({ memory: '300MiB' }))
      const { events, ended } = ada.start('cluster', 'up', '--yes', '--json')
      const restarted: string[] = []
      const open = new Set<string>()
      for await (const { event, step } of events) {
        if (!step?.says.startsWith('restart rabbitmq-server')) continue
        if (event === 'begin') open.add(step.node)
        expect(open.size).toBeLessThan(2)
        if (event !== 'done') continue
        open.delete(step.node)
        restarted.push(step.node)
      }
      const { code, stderr } = await ended
      expect(code, stderr).toBe(0)
      expect(restarted).toEqual(['n1', 'n2', 'n3'])
      expect(await running(lab, 'n3')).toEqual(['n1', 'n2', 'n3'])
    },
    8 * MINUTES,
  )

  test('a broker is not taken away because the file no longer wants it', async () => {
    const before = await held(lab)
    ada.write(clusterYaml(lab))
    const refused = await ada.cli('cluster', 'up', '--yes')
    expect(refused).toMatchObject({ code: 9 })
    expect(refused.stderr).toContain('rabbitmq is no longer wanted on n1, and nothing was changed.')
    expect(await held(lab)).toEqual(before)
  })
})

describe.each(['trixie', 'bookworm'] as const)('RabbitMQ on one machine of %s', suite => {
  let lab: Lab
  let ada: Operator

  const wanted = (on: string) =>
    clusterYaml(lab, {
      extra: { n1: ', labels: {broker: first}' },
      more: `components:\n  rabbitmq: {memory: 256MiB, on: ${on}}\n`,
    })

  beforeAll(async () => {
    if (lacks) return
    lab = await openLab({ suite, nodes: 3 })
    ada = await operator(lab, wanted('{broker: first}'))
  }, 10 * MINUTES)
  afterAll(() => lab?.close(), 2 * MINUTES)

  test(
    'becomes three brokers when the file wants it, and its queue gets copies there with what waits in it',
    async () => {
      const first = await ada.cli('cluster', 'up', '--yes')
      expect(first, first.stderr).toMatchObject({ code: 0 })
      expect(await running(lab, 'n1')).toEqual(['n1'])
      const api = (method: string, path: string, body: object = {}, on = 'n1') =>
        lab
          .node(on)
          .run(
            `curl -fsS -X ${method} -H "authorization: Basic $(cat /etc/llmagentos/rabbitmq-authorization)" -H 'content-type: application/json' --data @- http://127.0.0.1:15672/api/${path}`,
            { input: JSON.stringify(body) },
          )
      await api('PUT', 'queues/%2F/lab.story', { durable: true, arguments: { 'x-queue-type': 'quorum' } })
      const message = {
        properties: { delivery_mode: 2 },
        routing_key: 'lab.story',
        payload: 'waits',
        payload_encoding: 'string',
      }
      expect(JSON.parse(await api('POST', 'exchanges/%2F/amq.default/publish', message))).toEqual({
        routed: true,
      })

      ada.write(wanted('control'))
      const more = await ada.cli('cluster', 'up', '--yes')
      expect(more, more.stderr).toMatchObject({ code: 0 })
      for (const name of ['n1', 'n2', 'n3']) expect(await running(lab, name)).toEqual(['n1', 'n2', 'n3'])
      const queue = JSON.parse(await api('GET', 'queues/%2F/lab.story')) as {
        members: string[]
        messages: number
      }
      expect(queue.members.map(member => /@([^.]*)/.exec(member)![1]).toSorted()).toEqual(['n1', 'n2', 'n3'])
      await lab.node('n1').kill()
      await vi.waitFor(async () => expect(await running(lab, 'n2')).toEqual(['n2', 'n3']), {
        timeout: 2 * MINUTES,
        interval: 2_000,
      })
      const take = { count: 1, ackmode: 'ack_requeue_false', encoding: 'auto' }
      const got = await api('POST', 'queues/%2F/lab.story/get', take, 'n2')
      expect(JSON.parse(got)).toMatchObject([{ payload: 'waits' }])
      await lab.node('n1').start()
      await vi.waitFor(
        async () => expect(await ada.cli('cluster', 'plan', '--exit-code')).toMatchObject({ code: 0 }),
        {
          timeout: 3 * MINUTES,
          interval: 5_000,
        },
      )
    },
    20 * MINUTES,
  )

  test(
    'does not become fewer by the file alone: it is said, and nothing is changed',
    async () => {
      const before = await held(lab)
      ada.write(wanted('{broker: first}'))
      const refused = await ada.cli('cluster', 'up', '--yes')
      expect(refused).toMatchObject({ code: 9, stderr: expect.stringContaining('nothing was changed') })
      expect(await held(lab)).toEqual(before)
    },
    3 * MINUTES,
  )
})

/** Names of the nodes whose brokers run, as the broker of one sees it. */
async function running(lab: Lab, node: string): Promise<string[]> {
  const told = await lab
    .node(node)
    .run('rabbitmqctl -q cluster_status --formatter json', { deadlineMs: MINUTES })
  const { running_nodes: names } = JSON.parse(told) as { running_nodes: string[] }
  return names.map(name => /^rabbit@([^.]*)/.exec(name)![1]!).toSorted()
}

const held = (lab: Lab) =>
  Promise.all(lab.nodes.map(node => node.files(['/etc', '/opt', '/var/lib/llmagentos'])))
