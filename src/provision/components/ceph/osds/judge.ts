import type { WantedNode } from '../../../cluster/cluster.ts'
import { type Disks, diskNamed } from '../../../disks/disk.ts'
import { disks } from '../../../disks/fact.ts'
import { stateOf } from '../../../disks/guard.ts'
import type { Facts } from '../../../facts/fact.ts'
import { kept } from '../../../facts/kept.ts'
import type { Finding, View } from '../../component.ts'
import type { Config } from '../schema.ts'
import { type Made, made } from './made.ts'
import { osdUnit } from './places.ts'
import { smart } from './smart.ts'

type Said = Omit<Finding, 'node'>

/** How the disks of the storage nodes are, and what runs on them. */
export const judgeDisks = (view: View<Config>, facts: Facts): Finding[] =>
  view.nodes
    .filter(node => node.roles.includes('storage'))
    .flatMap(node => judged(node, facts).map(said => ({ ...said, node: node.name })))

function judged(node: WantedNode, facts: Facts): Said[] {
  const [have, there] = [facts.peek(node.name, made), facts.peek(node.name, disks)]
  if (!have.known) return [{ level: 'unknown', says: `It did not tell which OSDs it has: ${have.why}.` }]
  const osds = have.value.osds.filter(one => one.whole && one.id !== undefined)
  return [
    ...osds.flatMap(one => stopped(one, { node, facts })),
    ...failing(node, { osds, facts }),
    ...(there.known
      ? [
          ...goneIndexes(osds, there.value),
          ...osds
            .filter(one => !diskNamed(there.value, one.disk))
            .map(one => ({
              level: 'bad' as const,
              says: `The disk ${one.disk} of osd.${one.id} is gone.`,
              fix: `Bring it back; or: llmagentos node disk replace ${node.name} ${one.disk} NEW --fewer-copies`,
            })),
          ...spare(
            node,
            there.value.disks.filter(disk => stateOf(disk).state === 'blank').map(disk => disk.names),
          ),
        ]
      : [{ level: 'unknown' as const, says: `It did not tell what its disks hold: ${there.why}.` }]),
  ]
}

function stopped({ id, disk }: Made, o: { node: WantedNode; facts: Facts }): Said[] {
  const manifest = o.facts.peek(o.node.name, kept)
  if (!manifest.known) return []
  const active = manifest.value.units.get(osdUnit(id!))?.active
  if (active === 'active') return []
  return [
    {
      level: 'bad',
      says: `osd.${id} on ${disk} is ${active ?? 'not started yet'}.`,
      fix: 'Run `cluster up`; if it fails again: llmagentos node logs.',
    },
  ]
}

function failing(node: WantedNode, { osds, facts }: { osds: Made[]; facts: Facts }): Said[] {
  const answer = facts.peek(node.name, smart)
  if (osds.length === 0) return []
  if (!answer.known)
    return [{ level: 'unknown', says: `It did not tell whether its disks fail: ${answer.why}.` }]
  if (!answer.value.asked)
    return [
      { level: 'ok', says: 'Nobody asks its disks whether they fail: smartmontools is not installed there.' },
    ]
  const indexes = indexesOn(osds).flatMap(({ db, names }) => {
    const bad = answer.value.disks.find(({ disk, failing }) => failing && disk === db)
    if (!bad) return []
    return [
      {
        level: 'bad' as const,
        says: `The disk ${db}, which holds the index of ${names}, says that it fails (SMART)${bad.why ? `: ${bad.why}` : ''}.`,
        fix: `Put in another one for their indexes; then: ${WITHOUT_INDEX}`,
      },
    ]
  })
  const own = osds.flatMap(one => {
    const bad = answer.value.disks.find(({ disk, failing }) => failing && disk === one.disk)
    if (!bad) return []
    return [
      {
        level: 'bad' as const,
        says: `The disk ${one.disk} of osd.${one.id} says that it fails (SMART)${bad.why ? `: ${bad.why}` : ''}.`,
        fix: `Put in another one, then: llmagentos node disk replace ${node.name} ${one.disk} NEW`,
      },
    ]
  })
  return [...indexes, ...own]
}

/** One disk takes several OSDs with it. */
const goneIndexes = (osds: Made[], there: Disks): Said[] =>
  indexesOn(osds)
    .filter(({ db }) => !diskNamed(there, db))
    .map(({ db, names }) => ({
      level: 'bad',
      says: `The disk ${db} is gone, which holds the index of ${names}.`,
      fix: `Bring it back; where it is lost, so is what lies on their own disks: ${WITHOUT_INDEX}`,
    }))

const WITHOUT_INDEX =
  'write the new disk as `db` of blank disks, and let these take over one by one (llmagentos node disk replace NODE OLD NEW --fewer-copies).'

function indexesOn(osds: Made[]): { db: string; names: string }[] {
  const disks = [...new Set(osds.flatMap(({ db }) => db ?? []))]
  return disks.map(db => ({
    db,
    names: osds
      .filter(one => one.db === db)
      .map(({ id, disk }) => `osd.${id} (${disk})`)
      .join(', '),
  }))
}

/** Nothing takes them by itself. */
function spare({ disks: wanted }: WantedNode, blank: string[][]): Said[] {
  const free = blank.filter(
    names => !wanted.some(disk => names.includes(disk.id) || names.includes(disk.db ?? '')),
  )
  if (free.length === 0) return []
  const names = free.map(([name]) => name).join(', ')
  return [
    {
      level: 'ok',
      says: `${free.length === 1 ? 'A blank disk is' : 'Blank disks are'} not in the file: ${names}.`,
    },
  ]
}
