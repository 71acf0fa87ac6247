import { describe, expect, test } from 'vitest'
import type { Disk, Holding } from '../../../src/provision/disks/disk.ts'
import { disks } from '../../../src/provision/disks/fact.ts'
import { stateOf } from '../../../src/provision/disks/guard.ts'

const GiB = 1024 ** 3

const blank: Disk = {
  path: '/dev/sdb',
  names: ['ata-ST4000_ZX1'],
  serial: 'ZX1',
  model: 'ST4000',
  sizeBytes: 4000 * GiB,
  rotational: true,
  removable: false,
  readonly: false,
  holds: [],
  openers: [],
}
const osd = { uuid: '6c0b2d5e-0000-4000-8000-000000000001', fsid: 'f1', id: 3, whole: true }

/** One of each kind, so that a kind that nobody has words for cannot pass for blank. */
const HOLDINGS: Record<Holding['kind'], Holding> = {
  mount: { kind: 'mount', at: '/srv' },
  swap: { kind: 'swap' },
  partition: { kind: 'partition', name: 'sdb1' },
  holder: { kind: 'holder', name: 'dm-0' },
  signature: { kind: 'signature', type: 'ceph_bluestore' },
  bluestore: { kind: 'bluestore', ...osd },
  volume: { kind: 'volume', group: 'vg', name: 'data' },
  data: { kind: 'data', where: 'last' },
  busy: { kind: 'busy' },
}

test('a disk with nothing on it is blank', () => {
  expect(stateOf(blank)).toEqual({ state: 'blank' })
})

test.each(Object.values(HOLDINGS))('$kind is refused', holding => {
  expect(stateOf({ ...blank, holds: [holding] })).toMatchObject({
    state: 'refused',
    why: [expect.any(String)],
  })
})

test.each([
  [{ removable: true }, 'is removable'],
  [{ readonly: true }, 'is read-only'],
  [{ sizeBytes: 5 * GiB - 1 }, 'is smaller than 5 GiB'],
  [{ holds: [{ kind: 'mount', at: '/boot/efi' } as const] }, 'is the disk of the system'],
])('%j is refused', (more, why) => {
  expect(stateOf({ ...blank, ...more })).toMatchObject({
    state: 'refused',
    why: expect.arrayContaining([why]),
  })
})

test('a disk that nobody could look into is unknown, whatever else was found', () => {
  expect(stateOf({ ...blank, unknown: 'no answer within 10 s' })).toEqual({
    state: 'unknown',
    why: 'no answer within 10 s',
  })
})

test('an OSD is told with its number and its cluster, an unfinished one with its uuid', () => {
  expect(stateOf({ ...blank, holds: [HOLDINGS.signature, HOLDINGS.bluestore] })).toEqual({
    state: 'refused',
    why: ['holds osd.3 of the Ceph cluster f1'],
    osd: HOLDINGS.bluestore,
  })
  const half = { uuid: osd.uuid, whole: false }
  expect(stateOf({ ...blank, holds: [{ kind: 'volume', group: 'ceph-1', name: 'x', osd: half }] })).toEqual({
    state: 'refused',
    why: [`holds the volume ceph-1/x, an unfinished OSD (${osd.uuid})`],
    osd: half,
  })
})

describe('what a node says of its disks', () => {
  const disk = (...more: string[]) => ['disk\t/dev/sdb', 'name\tata-X', ...more].join('\n')

  test('is unknown where it stops in the middle', () => {
    expect(() => disks.parse(disk('size\t1000', 'whole\t'))).toThrow('not about all')
    expect(() => disks.parse(`${disk('size\t1000')}\nall\t\n`)).toThrow('not all about /dev/sdb')
    expect(() => disks.parse(`${disk('whole\t')}\nall\t\n`)).toThrow('not a number')
  })

  test('may be that there are none', () => {
    expect(disks.parse('all\t\n')).toEqual({ disks: [], others: [] })
  })

  test('tells volumes of ceph-volume by their tags', () => {
    const tags = `ceph.cluster_fsid=f1,ceph.osd_fsid=${osd.uuid},ceph.osd_id=3,ceph.type=block`
    const lines = ['size\t9000000000', `volume\tceph-1/osd-block-${osd.uuid}/${tags}`, 'whole\t']
    expect(disks.parse(`${disk(...lines)}\nall\t\n`).disks[0]!.holds).toEqual([
      { kind: 'volume', group: 'ceph-1', name: `osd-block-${osd.uuid}`, osd },
    ])
  })
})
