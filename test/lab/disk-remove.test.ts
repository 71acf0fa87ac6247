import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clusterYaml, type Operator, operator } from './cli.ts'
import { lacks, storiesOfTheLab } from './here.ts'
import { type Lab, openLab } from './lab.ts'

storiesOfTheLab()

const MINUTES = 60_000
const NAMES = ['n1', 'n2', 'n3']
const DATA = 'default.rgw.buckets.data'
const OBJECTS = 60

describe('disks with data that come and go', () => {
  let lab: Lab
  let ada: Operator
  let written = ''

  const wanted = (disks: Record<string, string[]>) =>
    clusterYaml(lab, {
      roles: Object.fromEntries(NAMES.map(name => [name, 'control, storage'])),
      extra: Object.fromEntries(
        NAMES.map(name => [
          name,
          `, disks: [${disks[name]!.map(id => `{id: virtio-lab-${id}}`).join(', ')}], memory: {reserve: 16GiB}`,
        ]),
      ),
      more: 'components:\n  ceph: {source: distro, allowEndOfLife: true, osd: {backend: raw}, config: {mon_data_avail_warn: 5}}\n',
    })
  const each = (disks: string[]) => Object.fromEntries(NAMES.map(name => [name, disks]))

  beforeAll(async () => {
    if (lacks) return
    lab = await openLab({ suite: 'trixie', nodes: 3 })
    for (const node of lab.nodes) for (let i = 0; i < 2; i++) await node.addDisk('6G')
    ada = await operator(lab, wanted(each(['vdb'])))
    await up()
    // Objects of 4 MiB, and the digest of each.
    written = await lab
      .node('n1')
      .run(
        `set -e; for i in $(seq ${OBJECTS}); do head -c 4194304 /dev/urandom >/tmp/one; rados -p ${DATA} put story-$i /tmp/one; echo "story-$i $(sha256sum </tmp/one)"; done`,
        { deadlineMs: 5 * MINUTES },
      )
  }, 20 * MINUTES)
  afterAll(() => lab?.close(), 2 * MINUTES)

  test(
    'the only disk of a machine stays, because each copy wants a machine of its own',
    async () => {
      const refused = await remove('n2', 'vdb')
      expect(refused, refused.stderr).toMatchObject({ code: 9 })
      expect(refused.stderr).toContain('2 host(s) would be left for 3 copies')
      expect(await osds()).toEqual(['0 up 1', '1 up 1', '2 up 1'])
    },
    2 * MINUTES,
  )

  test(
    'later disks become OSDs, and the pool gets more placement groups, which is a step of its own',
    async () => {
      expect(await pool()).toBe(32)
      ada.write(wanted(each(['vdb', 'vdc'])))
      const grown = await up()
      expect(grown.stderr).toContain(`grow the pool ${DATA} from 32 to 64 placement groups`)
      expect(await pool()).toBe(64)
      expect(await osds()).toHaveLength(6)
    },
    12 * MINUTES,
  )

  test(
    'a disk stays when the others would be nearly full by its data, and when its names are not typed',
    async () => {
      await lab.node('n1').run('ceph osd set-nearfull-ratio 0.02')
      const refused = await remove('n1', 'vdc')
      expect(refused, refused.stderr).toMatchObject({ code: 9 })
      expect(refused.stderr).toContain('nearly full')
      await lab.node('n1').run('ceph osd set-nearfull-ratio 0.85')
      expect(await ada.cli('node', 'disk', 'remove', 'n1', 'virtio-lab-vdc')).toMatchObject({ code: 9 })
      expect((await osds()).every(one => one.endsWith(' up 1'))).toBe(true)
    },
    2 * MINUTES,
  )

  test(
    'one is given up while it serves: a CLI that is killed is gone on with, and all data is as it was',
    async () => {
      const run = ada.start(
        'node',
        'disk',
        'remove',
        'n1',
        'virtio-lab-vdc',
        '--confirm',
        'lab/n1/virtio-lab-vdc',
        '--json',
      )
      for await (const { event, step } of run.events)
        if (event === 'begin' && step?.says.startsWith('wait until all')) break
      run.child.kill('SIGKILL')
      await run.ended
      expect(await ada.cli('cluster', 'lock', 'release', '--yes')).toMatchObject({ code: 0 })
      const done = await remove('n1', 'vdc')
      expect(done, done.stdout + done.stderr).toMatchObject({ code: 0 })
      expect(await osds()).toHaveLength(5)
      expect(await digests()).toBe(written)
      await up()
      const again = await ada.cli('cluster', 'plan', '--exit-code')
      expect(again, again.stdout + again.stderr).toMatchObject({ code: 0 })
      expect((await osds()).every(one => one.endsWith(' up 1'))).toBe(true)
      expect(await pool()).toBe(64)
    },
    15 * MINUTES,
  )

  test(
    'the disk is left as it was, may be wiped now, and given to the cluster again',
    async () => {
      const disk = 'virtio-lab-vdc'
      expect(await ada.cli('node', 'disk', 'list', 'n1')).toMatchObject({
        stdout: expect.stringMatching(new RegExp(`${disk}.*osd`)),
      })
      const wiped = await ada.cli('node', 'disk', 'wipe', 'n1', disk, '--yes-wipe', `n1/${disk}`)
      expect(wiped, wiped.stderr).toMatchObject({ code: 0 })
      ada.write(wanted(each(['vdb', 'vdc'])))
      await up()
      expect(await osds()).toHaveLength(6)
      expect(await digests()).toBe(written)
    },
    10 * MINUTES,
  )

  async function up() {
    const run = await ada.cli('cluster', 'up', '--yes')
    expect(run, run.stdout + run.stderr).toMatchObject({ code: 0 })
    return run
  }

  const remove = (node: string, disk: string) =>
    ada.cli(
      ...['node', 'disk', 'remove', node, `virtio-lab-${disk}`],
      ...['--confirm', `lab/${node}/virtio-lab-${disk}`],
    )

  const digests = () =>
    lab
      .node('n3')
      .run(
        `set -e; for i in $(seq ${OBJECTS}); do rados -p ${DATA} get story-$i /tmp/one; echo "story-$i $(sha256sum </tmp/one)"; done`,
        { deadlineMs: 5 * MINUTES },
      )

  const asked = async (what: string) =>
    JSON.parse(await lab.node('n1').run(`ceph --connect-timeout 20 ${what} --format json`))

  /** `ID STATUS WEIGHT` of each OSD; weight 0 is out. */
  const osds = async (): Promise<string[]> =>
    (await asked('osd tree')).nodes
      .filter((one: { type: string }) => one.type === 'osd')
      .map(
        (one: { id: number; status: string; reweight: number }) => `${one.id} ${one.status} ${one.reweight}`,
      )
      .sort()

  /** What its placement groups are to be. */
  const pool = async (): Promise<number> =>
    (await asked('osd dump')).pools.find((one: { pool_name: string }) => one.pool_name === DATA).pg_num_target
})
