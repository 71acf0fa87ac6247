import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clusterYaml, type Operator, operator } from './cli.ts'
import { lacks, storiesOfTheLab } from './here.ts'
import { type Lab, openLab } from './lab.ts'

storiesOfTheLab()

const MINUTES = 60_000
const NAMES = ['n1', 'n2', 'n3', 'n4', 'n5']

describe('monitors of Ceph that come and go with the role control', () => {
  let lab: Lab
  let ada: Operator
  let fsid: string

  const wanted = (control: string[], o: { extra?: Record<string, string> } = {}) =>
    clusterYaml(lab, {
      // With the role storage Ceph stays on a node, without it nothing of Ceph does.
      roles: Object.fromEntries(
        NAMES.map(n => [n, control.includes(n) ? 'control' : n === 'n4' ? 'storage' : 'compute']),
      ),
      extra: o.extra,
      more: 'components:\n  ceph: {source: distro, allowUnsafe: true, allowEndOfLife: true, object: {gateways: 0}, config: {mon_data_avail_warn: 5}}\n',
    })

  beforeAll(async () => {
    if (lacks) return
    lab = await openLab({ nodes: NAMES.length })
    ada = await operator(lab, wanted(['n1']))
    await upTo(['n1'])
    fsid = await asked('n1', 'fsid').then(({ fsid }) => fsid as string)
  }, 15 * MINUTES)
  afterAll(() => lab?.close(), 2 * MINUTES)

  test(
    'one becomes three and then five, one at a time',
    async () => {
      await upTo(['n1', 'n2', 'n3'])
      await upTo(NAMES)
      // Each joined by a map of its own: no two at once.
      const { monmap } = await asked('n5', 'quorum_status')
      expect(monmap.fsid).toBe(fsid)
      expect(monmap.epoch).toBeGreaterThanOrEqual(5)
    },
    15 * MINUTES,
  )

  test(
    'the role that leaves the file takes no vote away: up and plan stop with 9 and name the verb',
    async () => {
      ada.write(wanted(['n1', 'n2', 'n3']))
      const before = await held()
      for (const verb of [['up', '--yes'], ['plan']]) {
        const run = await ada.cli('cluster', ...verb)
        expect(run, run.stdout + run.stderr).toMatchObject({ code: 9 })
        expect(run.stderr).toMatch(/llmagentos node demote n[45]/)
      }
      expect(await held()).toEqual(before)
      expect(await quorum('n1')).toEqual(NAMES)
    },
    3 * MINUTES,
  )

  test(
    'the vote goes only where its names are typed, and never from a control node of the file',
    async () => {
      expect(await ada.cli('node', 'demote', 'n5')).toMatchObject({ code: 9 })
      expect(await ada.cli('node', 'demote', 'n5', '--confirm', 'lab/n4')).toMatchObject({ code: 9 })
      expect(await ada.cli('node', 'demote', 'n3', '--confirm', 'lab/n3')).toMatchObject({ code: 2 })
      expect(await quorum('n1')).toEqual(NAMES)
    },
    2 * MINUTES,
  )

  test(
    'five become three: while one is missing none leaves, and a CLI that is killed in the middle is gone on with',
    async () => {
      await lab.node('n2').run('systemctl stop ceph-mon@n2')
      await expect.poll(() => quorum('n1'), { timeout: MINUTES, interval: 2_000 }).not.toContain('n2')
      const refused = await demote('n5')
      expect(refused, refused.stderr).toMatchObject({ code: 9 })
      expect(refused.stderr).toContain('missing: n2')
      expect((await asked('n1', 'quorum_status')).monmap.mons).toHaveLength(5)
      await lab.node('n2').run('systemctl start ceph-mon@n2')
      await expect.poll(() => quorum('n1'), { timeout: MINUTES, interval: 2_000 }).toEqual(NAMES)

      const run = ada.start('node', 'demote', 'n5', '--confirm', 'lab/n5', '--json')
      for await (const { event, step } of run.events)
        if (event === 'done' && step?.says.startsWith('take the monitor n5')) break
      run.child.kill('SIGKILL')
      await run.ended
      expect(await ada.cli('cluster', 'lock', 'release', '--yes')).toMatchObject({ code: 0 })
      for (const node of ['n5', 'n4']) {
        const done = await demote(node)
        expect(done, done.stdout + done.stderr).toMatchObject({ code: 0 })
      }
      await upTo(['n1', 'n2', 'n3'])
      expect(await left('n4')).toBe('')
      expect(await left('n5')).toBe('')
      expect(await lab.node('n4').run('dpkg -l ceph-mon 2>/dev/null | grep -c ^[ih]i || :')).toBe('0\n')
    },
    12 * MINUTES,
  )

  test(
    'a machine that is gone for good loses its vote without being there, and does nothing when it comes back',
    async () => {
      await lab.node('n3').kill()
      ada.write(wanted(['n1'], { extra: { n3: ', state: offline' } }))
      // The others choose a leader for some seconds.
      await expect.poll(() => quorum('n1'), { timeout: MINUTES, interval: 2_000 }).toEqual(['n1', 'n2'])
      const lost = await demote('n3')
      expect(lost, lost.stdout + lost.stderr).toMatchObject({ code: 0 })
      expect(await quorum('n1')).toEqual(['n1', 'n2'])
      await lab.node('n3').start()
      const last = await demote('n2')
      expect(last, last.stdout + last.stderr).toMatchObject({ code: 0 })
      expect(await quorum('n1')).toEqual(['n1'])
      expect((await asked('n1', 'quorum_status')).monmap.mons).toHaveLength(1)
      ada.write(wanted(['n1']))
      expect(await demote('n3')).toMatchObject({ code: 0 })
      await upTo(['n1'])
      expect(await left('n3')).toBe('')
    },
    10 * MINUTES,
  )

  test(
    'who was demoted becomes a monitor again, of the same cluster',
    async () => {
      await upTo(['n1', 'n2', 'n3'])
      expect((await asked('n3', 'fsid')).fsid).toBe(fsid)
    },
    8 * MINUTES,
  )

  test(
    'one that was taken out of the map by hand comes back',
    async () => {
      await lab.node('n1').run('ceph mon rm n3')
      await upTo(['n1', 'n2', 'n3'])
    },
    5 * MINUTES,
  )

  async function upTo(control: string[]): Promise<void> {
    ada.write(wanted(control))
    const up = await ada.cli('cluster', 'up', '--yes')
    expect(up, up.stdout + up.stderr).toMatchObject({ code: 0 })
    expect(await quorum(control.at(-1)!)).toEqual(control)
    const again = await ada.cli('cluster', 'plan', '--exit-code')
    expect(again, again.stdout + again.stderr).toMatchObject({ code: 0 })
  }

  const demote = (node: string) => ada.cli('node', 'demote', node, '--confirm', `lab/${node}`)

  const quorum = async (node: string): Promise<string[]> =>
    (await asked(node, 'quorum_status')).quorum_names.toSorted()

  const asked = async (node: string, what: string) =>
    JSON.parse(await lab.node(node).run(`ceph --connect-timeout 20 ${what} --format json`))

  /** What a monitor or a manager left on a node. */
  const left = (node: string) =>
    lab
      .node(node)
      .run(
        'ls -d /var/lib/ceph/mon/ceph-* /etc/systemd/system/ceph-m*.d/* /etc/ceph/*.admin.keyring 2>/dev/null; pgrep -a "ceph-m(on|gr)"; awk -F "\\t" \'$2 == "ceph" { now[$3 " " $4] = $1 } END { for (one in now) if (now[one] == "+") print one }\' /var/lib/llmagentos/manifest | grep -E "ceph-m(on|gr)|/mon/"; :',
      )

  const held = () => Promise.all(lab.nodes.map(node => node.files(['/etc', '/var/lib/llmagentos'])))
})
