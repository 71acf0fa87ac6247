import { quote } from '../connections/quote.ts'
import type { Fact } from '../facts/fact.ts'
import { whole } from '../facts/fields.ts'
import type { Disk, Disks, Holding, Osd } from './disk.ts'
import { bestFirst } from './names.ts'
import { LOOK_AT_ALL } from './probe.ts'

/** All disks of a node, and what each of them holds. One that cannot be looked into is among them, as unknown. */
export const disks: Fact<Disks> = {
  id: 'disks',
  deadlineMs: 20_000,
  script: `exec perl -e ${quote([LOOK_AT_ALL])}`,
  parse(stdout) {
    const lines = stdout.split('\n').filter(Boolean)
    if (lines.at(-1) !== 'all\t') throw new Error('it is not about all disks')
    const [first, ...parts] = lines
      .slice(0, -1)
      .join('\n')
      .split(/^(?=disk\t)/m)
    const [links, own] = first?.startsWith('link\t') ? [first, parts] : ['', first ? [first, ...parts] : []]
    const disks = own.map(diskOf).sort((a, b) => (a.path < b.path ? -1 : 1))
    const names = new Set(disks.flatMap(disk => disk.names))
    const linked = [...links.matchAll(/^link\t([^\t\n]+)\t/gm)].map(([, name]) => name!)
    return { disks, others: linked.filter(name => !names.has(name)) }
  },
}

function diskOf(text: string): Disk {
  const said = text
    .trimEnd()
    .split('\n')
    .map(line => line.split('\t') as [string, string])
  const all = (key: string) => said.filter(([k]) => k === key).map(([, value]) => value ?? '')
  const one = (key: string) => all(key)[0] ?? ''
  if (said.at(-1)?.[0] !== 'whole') throw new Error(`it is not all about ${one('disk')}`)
  const unknown = all('unknown')[0]
  return {
    path: one('disk'),
    names: all('name').toSorted(bestFirst),
    serial: one('serial'),
    model: one('model'),
    sizeBytes: unknown === undefined ? whole(one('size')) : 0,
    rotational: one('rotational') === '1',
    removable: one('removable') === '1',
    readonly: one('readonly') === '1',
    holds: said.flatMap(holdingOf),
    openers: all('opener'),
    ...(unknown !== undefined && { unknown }),
  }
}

function holdingOf([key, value]: [string, string]): Holding[] {
  switch (key) {
    case 'mount':
      return [{ kind: 'mount', at: value }]
    case 'swap':
    case 'busy':
      return [{ kind: key }]
    case 'partition':
    case 'holder':
      return [{ kind: key, name: value }]
    case 'signature':
      return [{ kind: 'signature', type: value }]
    case 'data':
      return [{ kind: 'data', where: value === 'first' ? 'first' : 'last' }]
    case 'bluestore':
      return [{ kind: 'bluestore', ...labelled(value) }]
    case 'volume':
      return [volumeOf(value)]
    default:
      return []
  }
}

function labelled(text: string): Osd {
  const [uuid, fsid, id, made] = text.split(' ')
  if (!uuid) throw new Error(`${JSON.stringify(text)} is no label`)
  return {
    uuid,
    ...(fsid && fsid !== '-' && { fsid }),
    ...(id && /^\d+$/.test(id) && { id: Number(id) }),
    whole: made === 'yes',
  }
}

/** As ceph-volume tags what it makes; a volume for an index has tags of the OSD that it belongs to. A group of ours has its OSD in its name. */
function volumeOf(text: string): Holding {
  const [group = '', name = '', bytes, freeBytes, ...rest] = text.split('/')
  const tags = new Map(
    rest
      .join('/')
      .split(',')
      .map(tag => tag.split('=', 2) as [string, string]),
  )
  const volume = {
    kind: 'volume' as const,
    group,
    name,
    bytes: whole(bytes || '0'),
    freeBytes: whole(freeBytes ?? ''),
  }
  const named = name ? /^osd-(?:block|db)-([0-9a-f-]{36})$/.exec(name) : /^ceph-([0-9a-f-]{36})$/.exec(group)
  const uuid = tags.get('ceph.osd_fsid') ?? named?.[1]
  if (!uuid) return volume
  const [fsid, id] = [tags.get('ceph.cluster_fsid'), tags.get('ceph.osd_id')]
  const osd = { uuid, ...(fsid && { fsid }), ...(id && { id: Number(id) }), whole: fsid !== undefined }
  return { ...volume, osd, ...(tags.get('ceph.encrypted') === '1' && { encrypted: true }) }
}
