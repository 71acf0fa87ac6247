import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { artifactSource, artifactsFor } from '../../src/provision/artifacts/index.ts'
import { clusterYaml, type Operator, operator } from './cli.ts'
import { lacks, storiesOfTheLab } from './here.ts'
import { type Lab, openLab } from './lab.ts'

storiesOfTheLab()

const MINUTES = 60_000
const UNIT = 'llmagentos.service'

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
    // Her home is empty, and so says nothing of where packages come from; this machine's settings do.
    const source = artifactSource({ ...process.env, XDG_CACHE_HOME: join(ada.folder, 'cache') })
    for (const { name } of Object.values(artifactsFor(process.arch === 'arm64' ? 'arm64' : 'x64')))
      await source(name)
  }, 10 * MINUTES)
  afterAll(() => lab?.close(), 2 * MINUTES)

  test(
    'come up with cluster up, which proves it by a question',
    async () => {
      const up = await ada.cli('cluster', 'up', '--yes')
      expect(up, up.stdout + up.stderr).toMatchObject({ code: 0 })
      expect(up.stdout + up.stderr).toMatch(/The gateway answered a question in .* s \(extractive/)
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

  test('nobody outside reaches the gateway, which speaks no TLS', async () => {
    expect(await lab.node('n1').run(`ss -Hltn 'sport = :7420'`)).toMatch(/127\.0\.0\.1:7420/)
    expect(await lab.node('n1').run(`ss -Hltn 'sport = :7420' | wc -l`)).toBe('1\n')
  })

  test('they may do little on the machine', async () => {
    const said = await lab.node('n1').run(`systemd-analyze security --no-pager ${UNIT} | tail -n 1`)
    expect(Number(/(\d+\.\d+)/.exec(said)?.[1])).toBeLessThan(2.5)
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
        .run('rm /opt/llmagentos/release/dist/main.js && echo x >>/etc/llmagentos/runtime.json')
      const plan = await ada.cli('cluster', 'plan')
      expect(plan.stdout).toContain('some of it is gone or was changed')
      expect(plan.stdout).toContain('put back /etc/llmagentos/runtime.json: edited by hand')
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
    expect(up.stderr).toContain('/var/lib/llmagentos-runtime')
    expect(await held()).toEqual(before)
    await answers()
  })

  const held = () => Promise.all(lab.nodes.map(node => node.files()))
  const state = async () => (await lab.node('n1').run(`systemctl is-active ${UNIT}`)).trim()
  const mainPid = async () =>
    (await lab.node('n1').run(`systemctl show --property=MainPID --value ${UNIT}`)).trim()
  const answers = () =>
    vi.waitFor(
      async () =>
        expect(
          await lab
            .node('n1')
            .run(
              `bash -c 'exec 3<>/dev/tcp/127.0.0.1/7420; printf "GET /healthz HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n" >&3; head -n 1 <&3'`,
            ),
        ).toContain('200'),
      { timeout: 60_000, interval: 500 },
    )
})
