import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { locationOf, memoryTarget } from '../../../../src/provision/components/ceph/osds/conf.ts'
import { osdUuid } from '../../../../src/provision/components/ceph/osds/identity.ts'
import { judgeDisks } from '../../../../src/provision/components/ceph/osds/judge.ts'
import { made } from '../../../../src/provision/components/ceph/osds/made.ts'
import { osdsIn } from '../../../../src/provision/components/ceph/osds/map.ts'
import { smart } from '../../../../src/provision/components/ceph/osds/smart.ts'
import { told, viewOf } from './site.ts'

const GiB = 1024 ** 3

test('the uuid of an OSD is one of its cluster, its node and its disk, and always the same', () => {
  const o = { fsid: 'f1', node: 'n1', disk: 'ata-1' }
  expect(osdUuid(o)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  expect(osdUuid({ ...o })).toBe(osdUuid(o))
  const others = [{ fsid: 'f2' }, { node: 'n2' }, { disk: 'ata-2' }].map(more => osdUuid({ ...o, ...more }))
  expect(new Set([osdUuid(o), ...others]).size).toBe(4)
})

test.each([
  [64, 0, 2, 4],
  [16, 0, 4, 2],
  [16, 8, 4, 1],
  [2, 0, 12, 1],
])('of %i GiB without %i, %i OSDs use %i GiB each', (total, reserve, disks, expected) => {
  const node = {
    disks: Array.from({ length: disks }, (_, i) => ({ id: `d${i}` })),
    memory: { reserveBytes: reserve * GiB },
  }
  expect(memoryTarget({ totalBytes: total * GiB, node })).toBe(expected * GiB)
})

test('an OSD is where its node is by name, and by the label that parts copies', () => {
  const node = { name: 'n1', labels: { rack: 'r1' } }
  const at = (failureDomain: string) => locationOf({ osd: { failureDomain } } as never, node as never)
  expect(at('host')).toBe('root=default host=n1')
  expect(at('rack')).toBe('root=default rack=r1 host=n1')
})

test('what the monitors know of OSDs', () => {
  const one = { osd: 3, uuid: 'u', up: 1, in: 0, state: ['exists', 'up'] }
  expect(osdsIn({ osds: [one, { ...one, osd: 4, up: 0, state: ['exists', 'new'] }] })).toEqual([
    { id: 3, uuid: 'u', up: true, in: false, fresh: false, destroyed: false },
    { id: 4, uuid: 'u', up: false, in: false, fresh: true, destroyed: false },
  ])
  expect(() => osdsIn({})).toThrow('it tells no OSDs')
})

test('folders of OSDs: one that is made, one that was cut short, and one that takes over', () => {
  expect(
    made.parse(
      'none\nata-1\t3\tu1\traw\t\t\nata-2\t\tu2\t\t\t\nata-3\t\t\t\t7\t\nata-4\t5\tu4\tlvm\t\tnvme-1\n',
    ),
  ).toEqual({
    mapper: false,
    osds: [
      { disk: 'ata-1', id: 3, uuid: 'u1', whole: true, backend: 'raw' },
      { disk: 'ata-2', uuid: 'u2', whole: false },
      { disk: 'ata-3', whole: false, takes: 7 },
      { disk: 'ata-4', db: 'nvme-1', id: 5, uuid: 'u4', whole: true, backend: 'lvm' },
    ],
  })
  expect(() => made.parse('')).toThrow()
  expect(() => made.parse('mapper\nata-1\n')).toThrow('is no line of it')
})

describe('what disks say of themselves', () => {
  const file = (name: string) =>
    JSON.stringify(JSON.parse(readFileSync(join(import.meta.dirname, 'smart', `${name}.json`), 'utf8')))

  test.each([
    ['ata-fine', [{ failing: false, why: '' }]],
    ['ata-failing', [{ failing: true, why: 'Reallocated_Sector_Ct 3987 is past its threshold' }]],
    ['ata-failed-once', [{ failing: false, why: '' }]],
    ['nvme-fine', [{ failing: false, why: '' }]],
    [
      'nvme-failing',
      [{ failing: true, why: 'its spare blocks are used up, its errors have made it unreliable' }],
    ],
    ['scsi-failing', [{ failing: true, why: '' }]],
    ['virtual', []],
    ['asleep', []],
  ])('%s', (name, expected) => {
    expect(smart.parse(`disk\t${file(name)}\n`)).toEqual({
      asked: true,
      disks: expected.map(one => ({ disk: 'disk', ...one })),
    })
  })

  test('one that gives no answer in time says nothing, and without smartctl none is asked', () => {
    expect(smart.parse(`a\t\nb\t${file('nvme-fine')}\n`).disks).toEqual([
      { disk: 'b', failing: false, why: '' },
    ])
    expect(smart.parse('absent\n')).toEqual({ asked: false, disks: [] })
    expect(smart.parse('none\n')).toEqual({ asked: true, disks: [] })
  })

  test('is told where the OSDs are told of', () => {
    const view = viewOf('', { node: 'disks: [{id: ata-1}]' })
    const made = { 'folders of OSDs': 'mapper\nata-1\t3\tu1\traw\t\t\n', disks: 'all\t\n' }
    const said = (printed: string) =>
      judgeDisks(view, told('trixie', { ...made, 'SMART of disks with OSDs': printed }))
        .filter(({ node, says }) => node === 'n1' && /SMART|smartmontools/.test(says))
        .map(({ level, says }) => `${level} ${says}`)
    expect(said(`ata-1\t${file('ata-failing')}\n`)).toEqual([
      'bad The disk ata-1 of osd.3 says that it fails (SMART): Reallocated_Sector_Ct 3987 is past its threshold.',
    ])
    expect(said(`ata-1\t${file('ata-fine')}\n`)).toEqual([])
    expect(said('absent\n')).toEqual([
      'ok Nobody asks its disks whether they fail: smartmontools is not installed there.',
    ])
  })
})
