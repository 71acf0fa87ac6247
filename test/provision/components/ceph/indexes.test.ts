import { describe, expect, test } from 'vitest'
import { parse } from '../../../../src/provision/cluster/load.ts'
import { base } from '../../../../src/provision/components/base/index.ts'
import { ceph } from '../../../../src/provision/components/ceph/index.ts'
import { classSteps } from '../../../../src/provision/components/ceph/osds/classes.ts'
import { disksInUse } from '../../../../src/provision/components/ceph/osds/in-use.ts'
import { judgeDisks } from '../../../../src/provision/components/ceph/osds/judge.ts'
import { refuseDisks } from '../../../../src/provision/components/ceph/osds/refuse.ts'
import { makingSteps } from '../../../../src/provision/components/ceph/osds/steps.ts'
import type { Config } from '../../../../src/provision/components/ceph/schema.ts'
import type { Told } from '../../../../src/provision/components/ceph/told.ts'
import type { View } from '../../../../src/provision/components/component.ts'
import { diskNamed } from '../../../../src/provision/disks/disk.ts'
import { disks } from '../../../../src/provision/disks/fact.ts'
import { partsOf } from '../../../../src/provision/reconcile/view.ts'
import { Secret } from '../../../../src/secret.ts'
import { BARE, factsOf } from '../../os/node.ts'

const GiB = 1024 ** 3
const TWO = '[{id: hdd-1, db: ssd-1, class: hdd}, {id: hdd-2, db: ssd-1, class: hdd}]'
const OSD = '11111111-2222-8333-8444-555555555555'
const HELD = 'kept\tceph\theld\t/var/lib/ceph/osd/indexes-on/ssd-1\t\n'

describe('a disk for the indexes of others', () => {
  test('is parted among those that share it, and the plan says so', () => {
    expect(says(viewOf(TWO))).toEqual([
      'make an OSD on hdd-1, with its index on ssd-1 (1/2 of it)',
      'make an OSD on hdd-2, with its index on ssd-1 (1/2 of it)',
    ])
    expect(says(viewOf(TWO, 'dbSize: 60GiB'))[0]).toContain('(60.0 GiB of it)')
    expect(says(viewOf('[{id: hdd-1, db: ssd-1}]'))[0]).toContain('(all of it)')
  })

  test('is looked at again, and noted, in the step that writes on it', () => {
    const [first] = steps(viewOf(TWO))
    expect(first!.leaves.map(({ name }) => name.replace('/var/lib/ceph/osd/', ''))).toEqual([
      'by-disk/hdd-1',
      'indexes-on/ssd-1',
    ])
    const argv = first!.act.do === 'run' ? first!.act.argv : []
    const at = argv.flatMap((word, i) => (word === '--' ? [argv.slice(i + 1, i + 6)] : []))
    expect(at.map(words => words[0])).toEqual(['ssd-1', 'hdd-1'])
    expect(at[0]).toEqual([
      'ssd-1',
      String(100 * GiB),
      'S1',
      '-',
      expect.stringMatching(/^ceph-db-[0-9a-f-]{36}$/),
    ])
    expect(at[1]![4]).toBe(`ceph-${at[1]![3]}`)
    expect(argv.slice(-5)).toEqual(['no', 'hdd', 'ssd-1', at[0]![4], '/2'])
  })

  test.each([
    ['blank', ['size\t107374182400'], '', undefined],
    [
      'with something on it',
      ['size\t107374182400', 'signature\text4'],
      HELD,
      /ssd-1 \(\/dev\/ssd-1\) holds ext4/,
    ],
    ['that is too small for two', ['size\t6442450944'], '', undefined],
    ['that is much too small', ['size\t1073741824'], '', /smaller than 5 GiB/],
    ['with our own volumes, and one that was cut short', ours({ free: 99 * GiB }), HELD, undefined],
    ['with volumes like ours that nobody noted', ours({ free: 50 * GiB }), '', /holds the volume/],
    [
      'with volumes of somebody beside ours',
      [...ours({ free: 50 * GiB }), 'volume\tceph-db-x/home/1/1/'],
      HELD,
      /home/,
    ],
    [
      'that is full',
      ours({ free: GiB }),
      HELD,
      /has 2\.0 GiB left, too little for 2 more indexes of 50\.0 GiB/,
    ],
    ['that nobody knows', ['unknown\tno answer'], '', undefined],
  ])('%s', (_, holds, kept, why) => {
    const found = refusal(viewOf(TWO), facts({ 'ssd-1': holds }, { kept }))
    if (why) expect(found).toMatchObject({ exit: 9, why: expect.stringMatching(why) })
    else expect(found).toBeUndefined()
  })

  test('has room for what dbSize says, or is refused', () => {
    expect(refusal(viewOf(TWO, 'dbSize: 60GiB'), facts())).toMatchObject({
      exit: 9,
      why: expect.stringContaining('has 100.0 GiB left, too little for 2 more indexes of 60.0 GiB'),
    })
    expect(refusal(viewOf(TWO, 'dbSize: 500MiB'), facts())).toMatchObject({
      why: expect.stringContaining('one wants 1 GiB at least'),
    })
  })

  test('is wanted with LVM alone', () => {
    expect(refusal(viewOf(TWO, 'backend: raw'), facts())).toMatchObject({ exit: 2 })
  })

  test('of OSDs that are made stays the one that it is', () => {
    const made = facts({}, { made: `hdd-1\t3\t${OSD}\tlvm\t\tssd-1\n` })
    expect(refusal(viewOf(TWO), made)).toBeUndefined()
    expect(refusal(viewOf('[{id: hdd-1}]'), made)).toMatchObject({
      exit: 9,
      message: 'The index of osd.3 does not move, and nothing was changed.',
      why: 'on n1 it lies on ssd-1, and the file says that it has none elsewhere',
    })
  })

  test('is not wiped while an OSD has its index on it', () => {
    const made = facts({}, { made: `hdd-1\t3\t${OSD}\tlvm\t\tssd-1\nhdd-2\t4\t${OSD}\tlvm\t\tssd-1\n` })
    const disk = diskNamed(made.get('n1', disks), 'ssd-1')!
    expect(disksInUse.why(disk, { facts: made, node: 'n1' })).toBe(
      'osd.3, osd.4 of this cluster keep their indexes on it',
    )
  })

  test('that is gone, or says that it fails, is told with all OSDs whose indexes it holds', () => {
    const made = `hdd-1\t3\t${OSD}\tlvm\t\tssd-1\nhdd-2\t4\t${OSD}\tlvm\t\tssd-1\n`
    const said = (now: ReturnType<typeof facts>) => judgeDisks(viewOf(TWO), now).map(one => one.says)
    expect(said(facts({ 'ssd-1': undefined }, { made }))).toContain(
      'The disk ssd-1 is gone, which holds the index of osd.3 (hdd-1), osd.4 (hdd-2).',
    )
    expect(said(facts({}, { made, smart: 'ssd-1\t{"smart_status":{"passed":false}}\n' }))).toContain(
      'The disk ssd-1, which holds the index of osd.3 (hdd-1), osd.4 (hdd-2), says that it fails (SMART).',
    )
  })
})

test('an OSD counts as the kind of disk that the file says, once it has started', () => {
  const classes = (kind?: string) => {
    const tree = { nodes: [{ id: 3, name: 'osd.3', type: 'osd', ...(kind && { device_class: kind }) }] }
    const o = {
      facts: facts({}, { made: `hdd-1\t3\t${OSD}\tlvm\t\tssd-1\n` }),
      up: { node: 'n1', told: { tree } as unknown as Told },
    }
    return classSteps(viewOf(TWO), o).map(step => step.says)
  }
  expect(classes('ssd')).toEqual(['let osd.3 count as hdd, which was ssd'])
  expect(classes('hdd')).toEqual([])
  expect(classes()).toEqual([])
})

function ours({ free }: { free: number }): string[] {
  const index = `osd-db-${OSD}`
  return [
    'size\t107374182400',
    'holder\tdm-0',
    'signature\tLVM2_member',
    `volume\tceph-db-x/${index}/1073741824/${free}/ceph.osd_fsid=${OSD},ceph.cluster_fsid=f,ceph.osd_id=3`,
    `volume\tceph-db-x//${0}/${free}/`,
  ]
}

function viewOf(wanted: string, osd = ''): View<Config> {
  const text = `name: story\nrecovery: none\nssh: {user: ops}\nnodes:\n  - {name: n1, address: 10.0.0.11, roles: [control, storage], disks: ${wanted}}\ncomponents: {ceph: {allowUnsafe: true, osd: {${osd}}}}\n`
  const components = [base, ceph]
  const cluster = parse(text, { env: {}, components })
  const part = partsOf(cluster, { components, nodes: cluster.nodes }).find(p => p.component.name === 'ceph')!
  return { ...part.view, secret: () => new Secret('s') } as unknown as View<Config>
}

/** hdd-1, hdd-2 and ssd-1 of 100 GiB, blank unless said. */
function facts(
  holds: Record<string, string[] | undefined> = {},
  o: { kept?: string; made?: string; smart?: string } = {},
) {
  const blank = { 'hdd-1': [], 'hdd-2': [], 'ssd-1': [] }
  const all = Object.entries({ ...blank, ...holds }).flatMap(([name, lines], i) =>
    lines === undefined
      ? []
      : [
          `disk\t/dev/${name}`,
          `name\t${name}`,
          `serial\tS${i - 1}`,
          ...(lines.length > 0 ? lines : ['size\t107374182400']),
          'whole\t',
        ],
  )
  return factsOf({
    n1: {
      ...BARE,
      kept: o.kept ?? '',
      disks: `${[...all, 'all\t'].join('\n')}\n`,
      'folders of OSDs': `mapper\n${o.made ?? ''}`,
      'SMART of disks with OSDs': o.smart ?? '',
    },
  })
}

const steps = (view: View<Config>) => makingSteps(view, { facts: facts(), node: view.nodes[0]!, known: [] })
const says = (view: View<Config>) => steps(view).map(step => step.says)

function refusal(view: View<Config>, now: ReturnType<typeof facts>) {
  try {
    refuseDisks(view, now)
    return undefined
  } catch (thrown) {
    return thrown as { exit: number; message: string; why?: string }
  }
}
