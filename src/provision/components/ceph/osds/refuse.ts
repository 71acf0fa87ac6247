import { EXIT, Failure } from '../../../../errors.ts'
import type { WantedNode } from '../../../cluster/cluster.ts'
import { type Disks, diskNamed } from '../../../disks/disk.ts'
import { disks } from '../../../disks/fact.ts'
import { holdsIndexesAlone, stateOf } from '../../../disks/guard.ts'
import type { Facts } from '../../../facts/fact.ts'
import { kept } from '../../../facts/kept.ts'
import type { View } from '../../component.ts'
import { COMPONENT } from '../names.ts'
import type { Config } from '../schema.ts'
import { sharedOn, tooFull } from './indexes.ts'
import { made, type OsdsMade } from './made.ts'
import { heldIndexes, heldOsd } from './places.ts'

/**
 * Throws Failure (9) for disks of the file that hold anything but an OSD of ours, all of them at once, and for OSDs whose disk has left the
 * file; (2) for a backend that a node cannot have. What is unknown is no reason yet: the plan stops there.
 */
export function refuseDisks(view: View<Config>, facts: Facts): void {
  const found: string[] = []
  for (const node of view.nodes) {
    const [there, have, manifest] = [
      facts.peek(node.name, disks),
      facts.peek(node.name, made),
      facts.peek(node.name, kept),
    ]
    if (have.known) hasBackend(view, { node, have: have.value })
    if (have.known) stillNamed(node, have.value)
    if (have.known) sameIndex(node, have.value)
    if (!there.known || !have.known || !manifest.known) continue
    const held = new Set(
      manifest.value.entries.filter(e => e.component === COMPONENT).map(({ name }) => name),
    )
    const o = { there: there.value, have: have.value, held }
    found.push(...odd(node, o), ...oddIndexes(view, { ...o, node }))
  }
  if (found.length === 0) return
  throw new Failure('Not all disks of the file may be taken, and nothing was changed.', {
    exit: EXIT.unsafe,
    why: found.join('\n'),
    next: 'Take them out of the file; or, where all on a disk may be lost: llmagentos node disk wipe NODE DISK',
  })
}

function odd(
  { name: node, disks: wanted }: WantedNode,
  o: { there: Disks; have: OsdsMade; held: Set<string> },
): string[] {
  return wanted
    .flatMap(({ id }) => (o.have.osds.some(one => one.disk === id && one.whole) ? [] : [id]))
    .flatMap(id => {
      const disk = diskNamed(o.there, id)
      if (!disk) return [`${node}: there is no disk ${id}`]
      const state = stateOf(disk)
      if (state.state !== 'refused') return []
      if (state.osd && o.held.has(heldOsd(id).name)) return []
      return [`${node}: ${id} (${disk.path}) ${state.why.join(', and ')}`]
    })
}

/** A disk with indexes is blank, or what earlier ones of ours left it; it has room for those that come, and is no disk of the others. */
function oddIndexes(
  { config }: View<Config>,
  o: { node: WantedNode; there: Disks; have: OsdsMade; held: Set<string> },
): string[] {
  const { name } = o.node
  return sharedOn(o.node).flatMap(shared => {
    const { db, disks: ids } = shared
    const whole = o.have.osds.filter(one => one.whole)
    const missing = ids.filter(id => !whole.some(one => one.disk === id)).length
    const made = whole.flatMap(({ uuid }) => uuid ?? [])
    if (missing === 0) return []
    const disk = diskNamed(o.there, db)
    if (!disk) return [`${name}: there is no disk ${db}, for indexes`]
    const same = o.node.disks.find(({ id }) => disk.names.includes(id))
    if (same) return [`${name}: ${db} and ${same.id} are one disk, ${disk.path}`]
    const state = stateOf(disk)
    const ours = o.held.has(heldIndexes(db).name) && holdsIndexesAlone(disk)
    if (state.state === 'refused' && !ours)
      return [`${name}: ${db} (${disk.path}) ${state.why.join(', and ')}`]
    const full = state.state === 'unknown' ? undefined : tooFull(disk, { shared, missing, made, config })
    return full ? [`${name}: ${db} (${disk.path}) ${full}`] : []
  })
}

/** What is made stays where it is. */
function sameIndex({ name: node, disks: wanted }: WantedNode, { osds }: OsdsMade): void {
  for (const { id, db } of wanted) {
    const own = osds.find(one => one.whole && one.disk === id)
    if (!own || own.db === db) continue
    throw new Failure(`The index of osd.${own.id} does not move, and nothing was changed.`, {
      exit: EXIT.unsafe,
      why: `on ${node} it lies on ${own.db ?? `its own disk, ${id}`}, and the file says ${db ?? 'that it has none elsewhere'}`,
      next: `Write what it was (${own.db ? `db: ${own.db}` : 'without db'}); another disk with another index takes its place by: llmagentos node disk replace ${node} ${id} NEW`,
    })
  }
}

/** Data does not leave because a line did. */
function stillNamed({ name: node, disks: wanted }: WantedNode, { osds }: OsdsMade): void {
  const gone = osds.find(one => one.whole && !wanted.some(({ id }) => id === one.disk))
  if (!gone) return
  throw new Failure(`The disk ${gone.disk} of ${node} is no longer in the file, and nothing was changed.`, {
    exit: EXIT.unsafe,
    why: `osd.${gone.id} keeps data on it, and \`up\` never takes that away`,
    next: `Name it again (nodes/${node}/disks); another disk takes its place by: llmagentos node disk replace ${node} ${gone.disk} NEW. For good: llmagentos node disk remove ${node} ${gone.disk}`,
  })
}

function hasBackend({ config }: View<Config>, { node, have }: { node: WantedNode; have: OsdsMade }): void {
  if (config.osd.backend === 'raw' && config.osd.encrypt)
    throw new Failure('OSDs on whole disks are not encrypted.', {
      exit: EXIT.usage,
      next: 'Write components/ceph/osd/backend: lvm, or encrypt: false.',
    })
  const domain = config.osd.failureDomain
  if (domain !== 'host' && node.disks.length > 0 && node.labels[domain] === undefined)
    throw new Failure(`${node.name} has no label ${domain}.`, {
      exit: EXIT.usage,
      why: `copies are to lie on different ones (components/ceph/osd/failureDomain: ${domain})`,
      next: `Write labels: {${domain}: ...} for each storage node.`,
    })
  const withIndex = node.disks.find(({ db }) => db !== undefined)
  if (withIndex && config.osd.backend === 'raw')
    throw new Failure(`The disk ${withIndex.id} of ${node.name} wants its index on ${withIndex.db}.`, {
      exit: EXIT.usage,
      why: 'OSDs on whole disks (components/ceph/osd/backend: raw) keep it on their own',
      next: 'Write components/ceph/osd/backend: lvm; or take db out of cluster.yaml.',
    })
  if (config.osd.backend !== 'lvm' || have.mapper || node.disks.length === 0) return
  throw new Failure(`LVM cannot work on ${node.name}.`, {
    exit: EXIT.usage,
    why: 'its kernel has no device-mapper',
    next: 'Use another kernel; or write components/ceph/osd/backend: raw, for OSDs on whole disks without encryption.',
  })
}
