import { describe, expect, test } from 'vitest'
import type { Disk, Holding } from '../../../src/provision/disks/disk.ts'
import { disks } from '../../../src/provision/disks/fact.ts'
import { holdsIndexesAlone, stateOf, whatItHolds } from '../../../src/provision/disks/guard.ts'
import { inUse } from '../../../src/provision/disks/wipe.ts'

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
const VOLUME = { kind: 'volume' as const, bytes: GiB, freeBytes: 0 }
const osd = { uuid: '6c0b2d5e-0000-4000-8000-000000000001', fsid: 'f1', id: 3, whole: true }

/** One of each kind, so that a kind that nobody has words for cannot pass for blank. */
const HOLDINGS: Record<Holding['kind'], Holding> = {
  mount: { kind: 'mount', at: '/srv' },
  swap: { kind: 'swap' },
  partition: { kind: 'partition', name: 'sdb1' },
  holder: { kind: 'holder', name: 'dm-0' },
  signature: { kind: 'signature', type: 'ceph_bluestore' },
  bluestore: { kind: 'bluestore', ...osd },
  volume: { kind: 'volume', group: 'vg', name: 'data', bytes: 1, freeBytes: 0 },
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
  expect(stateOf({ ...blank, holds: [{ ...VOLUME, group: 'ceph-1', name: 'x', osd: half }] })).toEqual({
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
    expect(volumes(`ceph-1/osd-block-${osd.uuid}/${GiB}/0/${tags}`)).toEqual([
      { ...VOLUME, group: 'ceph-1', name: `osd-block-${osd.uuid}`, osd },
    ])
    expect(volumes(`ceph-1/x/${GiB}/0/${tags},ceph.encrypted=1`)).toMatchObject([{ encrypted: true, osd }])
  })

  test('tells what was cut short before the tags by the names that it has', () => {
    const half = { uuid: osd.uuid, whole: false }
    expect(volumes(`ceph-1/osd-db-${osd.uuid}/${GiB}/0/`)).toMatchObject([{ osd: half }])
    expect(volumes(`ceph-${osd.uuid}///${GiB}/`)).toEqual([
      { kind: 'volume', group: `ceph-${osd.uuid}`, name: '', bytes: 0, freeBytes: GiB, osd: half },
    ])
    expect(volumes(`vg///${GiB}/`)[0]).not.toHaveProperty('osd')
    expect(() => volumes('vg/data/much/0/')).toThrow('not a number')
  })

  const volumes = (...told: string[]) =>
    disks.parse(`${disk('size\t9000000000', ...told.map(one => `volume\t${one}`), 'whole\t')}\nall\t\n`)
      .disks[0]!.holds
})

describe('a disk with indexes', () => {
  const index = { ...VOLUME, group: 'ceph-db-1', name: `osd-db-${osd.uuid}`, osd }
  const room = { ...VOLUME, group: 'ceph-db-1', name: '', bytes: 0 }
  const member: Holding = { kind: 'signature', type: 'LVM2_member' }
  const alone = (...holds: Holding[]) => holdsIndexesAlone({ ...blank, holds })

  test('holds nothing but volumes for indexes, of one group', () => {
    expect(alone(member, { kind: 'holder', name: 'dm-0' }, index, room)).toBe(true)
    expect(alone(member, room)).toBe(true)
    for (const odd of [
      { ...index, name: `osd-block-${osd.uuid}` },
      { ...index, name: 'home' },
      { ...index, group: 'other' },
      { kind: 'mount', at: '/srv' },
      { kind: 'partition', name: 'sdb1' },
      { kind: 'data', where: 'last' },
      { kind: 'signature', type: 'ext4' },
    ] as const)
      expect(alone(member, index, odd), JSON.stringify(odd)).toBe(false)
    expect(alone(member)).toBe(false)
  })

  test('tells whose they are, and when there is none left', () => {
    expect(whatItHolds({ ...blank, holds: [index, room] })).toEqual([
      `holds the volume ceph-db-1/osd-db-${osd.uuid}, the index of osd.3 of the Ceph cluster f1`,
    ])
    expect(whatItHolds({ ...blank, holds: [room] })).toEqual([
      'is the volume group ceph-db-1, which is empty',
    ])
  })

  test('may be wiped when nobody uses it, though LVM has opened it; other volumes that are open may not', () => {
    const open: Holding = { kind: 'holder', name: 'dm-0' }
    expect(inUse({ ...blank, holds: [member, open, index] })).toBeUndefined()
    expect(inUse({ ...blank, holds: [member, open, { ...VOLUME, group: 'vg', name: 'data' }] })).toContain(
      'active',
    )
    expect(inUse({ ...blank, holds: [member, open, index], openers: ['ceph-osd (812)'] })).toContain(
      'has it open',
    )
    expect(inUse({ ...blank, holds: [open] })).toContain('active')
  })
})
