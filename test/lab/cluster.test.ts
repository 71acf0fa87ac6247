import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { runCli } from '../helpers/cli.ts'
import { askingAt } from './asking.ts'
import { clusterYaml, type Operator, operator } from './cli.ts'
import { lacks, storiesOfTheLab } from './here.ts'
import { type Lab, openLab } from './lab.ts'
import { openPorts } from './open-ports.ts'
import { programsAtHand } from './programs.ts'

storiesOfTheLab()

const MINUTES = 60_000
const NODES = ['n1', 'n2', 'n3']
/** Somebody else's, on every machine; one of them has ufw, which lets in what it knows. */
const FOREIGN = 8099
const WALLED = 'n3'
const outside = (name: string) => (name === WALLED ? [22, 7420] : [22, 7420, FOREIGN])

const LISTENER = `printf '[Service]\\nExecStart=/usr/bin/systemd-socket-activate -l ${FOREIGN} --accept --inetd /bin/echo here\\n[Install]\\nWantedBy=multi-user.target\\n' >/etc/systemd/system/foreign.service`
const WALL = `apt-get -qq update
DEBIAN_FRONTEND=noninteractive apt-get -qq -y install ufw >/dev/null
ufw allow 22/tcp && ufw --force enable`

describe('three machines', () => {
  let lab: Lab
  let ada: Operator
  let vip: string

  beforeAll(async () => {
    if (lacks) return
    lab = await openLab({ name: 'cluster', nodes: 3 })
    vip = lab.node('n1').address.replace(/\d+$/, '200')
    ada = await operator(lab, wanted())
    await programsAtHand(ada.folder)
    await Promise.all(lab.nodes.map(node => node.run(`${LISTENER}\nsystemctl enable --now foreign.service`)))
    await lab.node(WALLED).run(WALL, { deadlineMs: 5 * MINUTES })
  }, 10 * MINUTES)
  afterAll(() => lab?.close(), 2 * MINUTES)

  test(
    'become a cluster with brokers and services, proved by a question through each gateway',
    async () => {
      const up = await ada.cli('cluster', 'up', '--yes')
      expect(up, up.stdout + up.stderr).toMatchObject({ code: 0 })
      for (const name of NODES)
        expect(up.stdout + up.stderr).toContain(`The gateway of ${name} answered a question`)
    },
    15 * MINUTES,
  )

  test(
    'have nothing to do the second time, and are written nothing',
    async () => {
      const before = await held()
      const again = await ada.cli('cluster', 'up')
      expect(again, again.stderr).toMatchObject({ code: 0 })
      expect(again.stdout).toContain('Nothing was changed.')
      ada.write(wanted(NODES.toReversed()))
      expect(await ada.cli('cluster', 'plan', '--exit-code')).toMatchObject({ code: 0 })
      ada.write(wanted())
      expect(await held()).toEqual(before)
    },
    3 * MINUTES,
  )

  test('show outside ssh, the gateway and what is of others, also where ufw is active', async () => {
    for (const name of NODES) expect(await openPorts(lab.node(name)), name).toEqual(outside(name))
    expect(await lab.node(WALLED).run('ufw status')).toContain('Status: active')
  })

  test('have one of them hold the address', async () => {
    const held = await Promise.all(NODES.map(name => lab.node(name).run('ip -4 -o addr')))
    expect(held.filter(text => text.includes(`${vip}/`))).toHaveLength(1)
  })

  test(
    'work tasks off on every executor, which hear of them over the brokers',
    async () => {
      const ids = await Promise.all(Array.from({ length: 12 }, submitted))
      await Promise.all(ids.map(ended))
      const done = await Promise.all(
        NODES.map(name =>
          lab.node(name).run('journalctl -o cat -u llmagentos-executor | grep "an attempt ended" || :'),
        ),
      )
      for (const [i, log] of done.entries()) expect(log, NODES[i]).toContain('"outcome":"done"')
      for (const id of ids) expect(done.join(''), id).toContain(id)
    },
    2 * MINUTES,
  )

  test.each(['n2', 'n3'])(
    'answer and work tasks off while %s is gone, and are well again when it is back, without an operator',
    async name => {
      await answers()
      await lab.node(name).kill()
      await answers()
      await ended(await submitted())
      await lab.node(name).start()
      await well()
      expect(await openPorts(lab.node(name))).toEqual(outside(name))
      await ended(await submitted())
    },
    6 * MINUTES,
  )

  test(
    'give their address to another gateway within 5 s when the one that has it dies',
    async () => {
      // Moved away from the store, without which questions are not answered here.
      await lab.node('n1').run('systemctl restart keepalived')
      const holder = await vi.waitFor(
        async () => {
          const found = await Promise.all(
            NODES.slice(1).map(async name =>
              (await lab.node(name).run('ip -4 -o addr')).includes(`${vip}/`) ? name : '',
            ),
          )
          expect(found.join('')).not.toBe('')
          return found.find(Boolean)!
        },
        { timeout: 20_000, interval: 500 },
      )
      const client = clientOf(vip)
      await vi.waitFor(async () => expect(await client.ask()).toBe(200), { timeout: 20_000, interval: 250 })
      const load = client.at({ perSecond: 20 })
      await sleep(3_000)
      const killed = performance.now()
      await lab.node(holder).kill()
      await sleep(12_000)
      const answers = await load.stop()
      await lab.node(holder).start()
      const after = answers.filter(a => a.sent > killed + 5_000)
      expect(after.length).toBeGreaterThan(60)
      expect(after.filter(a => a.status !== 200)).toEqual([])
      const lost = answers.filter(a => a.sent > killed && a.status !== 200)
      const away = Math.max(killed, ...lost.map(a => a.sent)) - killed
      process.stdout.write(
        `requests sent up to ${Math.round(away)} ms after the kill were lost: ${lost.length}\n`,
      )
      await well()
    },
    4 * MINUTES,
  )

  test(
    'go on answering from what comes along while the node with the store is gone, and lose nothing that was accepted',
    async () => {
      const accepted = await submitted()
      await lab.node('n1').kill()
      // From that moment on, at each gateway that is left, until the machine is long missed.
      const killed = performance.now()
      while (performance.now() < killed + 12_000) {
        const submits = await Promise.all(NODES.slice(1).map(name => clientOf(name).submit()))
        for (const submit of submits) {
          expect(submit.status, JSON.stringify(submit)).toBe(503)
          expect(submit.retryAfter, JSON.stringify(submit)).toMatch(/^\d+$/)
          expect(submit.ms).toBeLessThan(5_000)
        }
      }
      // Knowledge lies in the store, and this engine quotes it: what comes along is answered from all the same.
      const asked = await runCli(['ask', 'what does Ada grow?', '-'], {
        folder: ada.folder,
        stdin: 'Ada grows roses in her garden.\n',
      })
      const without = await ada.cli('ask', 'what is not in any cache?')
      const began = performance.now()
      const refused = await ada.cli('task', 'submit', 'how do I add a node?')
      expect(performance.now() - began).toBeLessThan(20_000)
      expect(refused.code, refused.stderr).toBe(6)
      await lab.node('n1').start()
      await ended(accepted)
      await well()
      expect(await openPorts(lab.node('n1'))).toEqual(outside('n1'))
      expect(asked, asked.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('roses') })
      expect(without).toMatchObject({ code: 6, stderr: expect.stringContaining('cannot be reached') })
    },
    6 * MINUTES,
  )

  const wanted = (nodes = NODES) =>
    clusterYaml(lab, {
      nodes,
      more: `gateway: {vip: ${vip}/24}\ncomponents:\n  rabbitmq: {}\n  runtime: {}\n`,
    })
  /** By the name of a node, or an address. */
  const clientOf = (where: string) =>
    askingAt({
      url: `https://${NODES.includes(where) ? lab.node(where).address : where}:7420`,
      folder: ada.folder,
    })
  const held = () => Promise.all(lab.nodes.map(node => node.files()))
  const well = () =>
    vi.waitFor(async () => expect(await ada.cli('cluster', 'status')).toMatchObject({ code: 0 }), {
      timeout: 2 * MINUTES,
      interval: 2_000,
    })
  const answers = () =>
    vi.waitFor(async () => expect(await ada.cli('ask', 'how do I add a node?')).toMatchObject({ code: 0 }), {
      timeout: 60_000,
      interval: 500,
    })
  const submitted = async () => {
    const task = await ada.cli('task', 'submit', '--json', 'how do I add a node?')
    expect(task, task.stderr).toMatchObject({ code: 0 })
    return (JSON.parse(task.stdout) as { task: { id: string } }).task.id
  }
  const ended = async (id: string) => {
    const watched = await ada.cli('task', 'watch', id)
    expect(watched, watched.stderr).toMatchObject({ code: 0 })
  }
})
