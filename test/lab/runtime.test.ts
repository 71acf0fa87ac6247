import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { clusterYaml, type Operator, operator } from './cli.ts'
import { lacks, storiesOfTheLab } from './here.ts'
import { type Lab, openLab } from './lab.ts'
import { programsAtHand } from './programs.ts'
import { aged, renewals } from './tend/look.ts'

storiesOfTheLab()

const MINUTES = 60_000
const UNIT = 'llmagentos-gateway.service'

describe('our services', () => {
  let lab: Lab
  let ada: Operator

  beforeAll(async () => {
    if (lacks) return
    lab = await openLab({ name: 'runtime', nodes: 2 })
    ada = await operator(
      lab,
      clusterYaml(lab, { roles: { n2: 'worker' }, more: 'components:\n  runtime: {}\n' }),
    )
    await programsAtHand(ada.folder)
  }, 10 * MINUTES)
  afterAll(() => lab?.close(), 2 * MINUTES)

  test(
    'come up with cluster up, which proves it by a question',
    async () => {
      const up = await ada.cli('cluster', 'up', '--yes')
      expect(up, up.stdout + up.stderr).toMatchObject({ code: 0 })
      expect(up.stdout + up.stderr).toMatch(/The gateway of n1 answered a question in .* s \(extractive/)
      expect(await state()).toBe('active')
    },
    10 * MINUTES,
  )

  test('nothing is done and nothing written the second time', async () => {
    const before = await held()
    expect(await ada.cli('cluster', 'plan', '--exit-code')).toMatchObject({ code: 0 })
    const again = await ada.cli('cluster', 'up')
    expect(again, again.stderr).toMatchObject({ code: 0 })
    expect(again.stdout).toContain('Nothing was changed.')
    expect(await held()).toEqual(before)
  })

  test('programs are on every machine, services on one', async () => {
    for (const node of lab.nodes) expect(await node.run('llmagentos --version')).toMatch(/^\d+\.\d+\.\d+/)
    // The services and their search index are where the store is, and nowhere else.
    expect(await lab.node('n2').run('ls -d /opt/llmagentos/*')).not.toContain('node_modules')
    expect((await lab.node('n2').ssh(['systemctl', 'cat', UNIT])).code).not.toBe(0)
  })

  test('the operator asks through the gateway over TLS, trusting the CA of the cluster alone', async () => {
    const asked = await ada.cli('ask', '--json', 'how do I add a node?')
    expect(asked, asked.stderr).toMatchObject({ code: 0 })
    expect(JSON.parse(asked.stdout)).toMatchObject({
      worker: 'n2',
      sources: expect.arrayContaining([expect.anything()]),
    })
  })

  test('a task is worked off', async () => {
    const done = await ada.cli('task', 'submit', 'how do I add a node?', '--wait')
    expect(done, done.stderr).toMatchObject({ code: 0 })
  })

  test('services take nobody without a certificate of the cluster', async () => {
    const { address } = lab.node('n1')
    for (const port of [7421, 7422, 7423, 7424, 7425, 7426])
      expect(
        await lab
          .node('n2')
          .run(
            `openssl s_client -connect ${address}:${port} </dev/null 2>&1 | grep -c 'Verify return code: 0' || :`,
          ),
      ).toBe('0\n')
    expect(
      await lab
        .node('n2')
        .run(
          `timeout 5 bash -c 'exec 3<>/dev/tcp/${address}/7425; printf "GET /healthz HTTP/1.0\\r\\n\\r\\n" >&3; head -c 20 <&3' || :`,
        ),
    ).toBe('')
  })

  test('certificates of all services are renewed by the machines themselves, and there is still nothing to do', async () => {
    for (const node of lab.nodes) {
      expect(await node.run('systemctl is-active llmagentos-tend.timer')).toBe('active\n')
      expect(await node.ssh(['llmagentos', 'node', 'tend'])).toMatchObject({ code: 0 })
      for (const one of await renewals(node)) expect(one).toMatchObject({ did: 'renewed' })
    }
    const asked = await ada.cli('ask', '--json', 'how do I add a node?')
    expect(asked, asked.stderr).toMatchObject({ code: 0 })
    expect(await ada.cli('cluster', 'plan', '--exit-code')).toMatchObject({ code: 0 })
  })

  test(
    'status tells of a machine that cannot renew its certificates, until it can',
    async () => {
      const [n1, own] = [lab.node('n1'), '/etc/llmagentos/tend.json']
      const warned = /WARN +n1: Certificates could not be renewed at the last try\./
      await n1.run(`cp ${own} /run/tend.own && ${aged('/run/tend.own', own)}`)
      await n1.run('systemctl stop llmagentos-signer.service')
      expect((await n1.ssh(['systemctl', 'start', 'llmagentos-tend.service'])).code).not.toBe(0)
      const status = await ada.cli('cluster', 'status')
      expect(status.stdout).toMatch(warned)
      expect(status.stdout).toContain('Look: llmagentos node logs n1 llmagentos-tend.service')
      const logs = await ada.cli('node', 'logs', 'n1', '--unit', 'llmagentos-tend.service', '--lines', '20')
      expect(logs.stdout).toContain('no control node answered')
      // Not both at once: who tends asks a signer that listens.
      await n1.run('systemctl start llmagentos-signer.service')
      await vi.waitFor(() => n1.run('systemctl start llmagentos-tend.service'), {
        timeout: 30_000,
        interval: 500,
      })
      await n1.run(`cp /run/tend.own ${own}`)
      const after = await ada.cli('cluster', 'status')
      expect(after, after.stdout).toMatchObject({ code: 0 })
      expect(after.stdout).not.toMatch(warned)
      expect(await ada.cli('cluster', 'plan', '--exit-code')).toMatchObject({ code: 0 })
    },
    2 * MINUTES,
  )

  test('they may do little on the machine, each under a user of its own', async () => {
    const units = (
      await lab.node('n1').run(`systemctl list-units --plain --no-legend 'llmagentos-*.service'`)
    )
      .trim()
      .split('\n')
      .map(line => line.split(' ')[0]!)
      .filter(unit => !unit.includes('firewall'))
    expect(units.length).toBeGreaterThanOrEqual(5)
    for (const unit of units) {
      const said = await lab.node('n1').run(`systemd-analyze security --no-pager ${unit} | tail -n 1`)
      expect(Number(/(\d+\.\d+)/.exec(said)?.[1]), unit).toBeLessThan(2.5)
    }
    const users = (await lab.node('n1').run(`systemctl show --property=User --value ${units.join(' ')}`))
      .split('\n')
      .filter(Boolean)
    expect(new Set(users).size).toBe(units.length)
  })

  test(
    'come back after their main process is killed',
    async () => {
      const pid = await mainPid()
      await lab.node('n1').run(`kill -9 ${pid}`)
      await vi.waitFor(async () => expect(await mainPid()).not.toMatch(new RegExp(`^(${pid}|0)$`)), {
        timeout: 30_000,
        interval: 500,
      })
      await answers()
    },
    2 * MINUTES,
  )

  test(
    'come back after the machine was restarted, and there is still nothing to do',
    async () => {
      await lab.node('n1').reboot()
      await answers()
      expect(await ada.cli('cluster', 'plan', '--exit-code')).toMatchObject({ code: 0 })
    },
    3 * MINUTES,
  )

  test(
    'what somebody changed is put back',
    async () => {
      await lab
        .node('n1')
        .run('rm /opt/llmagentos/release/dist/main.js && echo x >>/etc/llmagentos/gateway.json')
      const plan = await ada.cli('cluster', 'plan')
      expect(plan.stdout).toContain('some of it is gone or was changed')
      expect(plan.stdout).toContain('put back /etc/llmagentos/gateway.json: edited by hand')
      const up = await ada.cli('cluster', 'up', '--yes')
      expect(up, up.stdout + up.stderr).toMatchObject({ code: 0 })
      expect(await ada.cli('cluster', 'plan', '--exit-code')).toMatchObject({ code: 0 })
    },
    5 * MINUTES,
  )

  test('stay when their block goes, because the store is theirs', async () => {
    ada.write(clusterYaml(lab, { roles: { n2: 'worker' } }))
    const before = await held()
    const up = await ada.cli('cluster', 'up', '--yes')
    expect(up, up.stdout + up.stderr).toMatchObject({ code: 9 })
    expect(up.stderr).toContain('/var/lib/llmagentos-data')
    expect(await held()).toEqual(before)
    await answers()
  })

  const held = () => Promise.all(lab.nodes.map(node => node.files()))
  const state = async () => (await lab.node('n1').run(`systemctl is-active ${UNIT}`)).trim()
  const mainPid = async () =>
    (await lab.node('n1').run(`systemctl show --property=MainPID --value ${UNIT}`)).trim()
  const answers = () =>
    vi.waitFor(async () => expect(await ada.cli('ask', 'how do I add a node?')).toMatchObject({ code: 0 }), {
      timeout: 60_000,
      interval: 500,
    })
})
