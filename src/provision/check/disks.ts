import type { WantedNode } from '../cluster/cluster.ts'
import { nearest } from '../cluster/read/nearest.ts'
import type { Finding } from '../components/component.ts'
import { type Disks, diskNamed } from '../disks/disk.ts'
import { disks as fact } from '../disks/fact.ts'
import { holdsIndexesAlone, stateOf } from '../disks/guard.ts'
import { type Concern, onEach } from './concern.ts'
import { size } from './units.ts'

/** The disks that the file names are there, are different ones, and hold nothing. */
export const disks: Concern = {
  name: 'disks',
  facts: (_, node) => (idsOf(node).length > 0 ? [fact] : []),
  judge: ({ nodes }, facts) =>
    onEach(
      { nodes: nodes.filter(node => idsOf(node).length > 0), facts, what: 'what its disks hold' },
      fact,
      (there, node) => idsOf(node).map(id => judgeDisk(id, { there, node })),
    ),
}

const idsOf = (node: WantedNode): string[] => [
  ...new Set(node.disks.flatMap(disk => [disk.id, ...(disk.db ? [disk.db] : [])])),
]

function judgeDisk(id: string, { there, node }: { there: Disks; node: WantedNode }): Omit<Finding, 'node'> {
  const disk = diskNamed(there, id)
  if (!disk) {
    const is = there.others.includes(id) ? `${id} is no whole disk.` : `There is no disk ${id}.`
    return { level: 'bad', says: is, fix: instead(id, { there, node }) }
  }
  const same = idsOf(node).find(other => other !== id && disk.names.includes(other))
  if (same)
    return {
      level: 'bad',
      says: `${id} and ${same} are one disk, ${disk.path}.`,
      fix: 'Name each disk once in the file.',
    }
  const state = stateOf(disk)
  if (state.state === 'blank') return { level: 'ok', says: `${id} is blank, ${size(disk.sizeBytes)}.` }
  if (state.state === 'unknown')
    return {
      level: 'unknown',
      says: `It could not be found out what ${id} (${disk.path}) holds: ${state.why}.`,
    }
  const says = `${id} (${disk.path}, ${size(disk.sizeBytes)}) is not blank: it ${state.why.join(', it ')}.`
  // What an earlier run of ours may have made. Whose it is, only the component can tell.
  if (state.osd || holdsIndexesAlone(disk)) return { level: 'warn', says }
  return {
    level: 'bad',
    says,
    fix: `Take it out of the file; or, if all on it may be lost: llmagentos node disk wipe ${node.name} ${id}`,
  }
}

function instead(id: string, { there, node }: { there: Disks; node: WantedNode }): string {
  const free = there.disks.flatMap(disk =>
    disk.names.some(name => idsOf(node).includes(name)) ? [] : disk.names.slice(0, 1),
  )
  const meant = nearest(id, free)
  if (meant) return `Did you mean ${meant}?`
  if (there.disks.length === 0) return 'There is none at all: ls -l /dev/disk/by-id'
  if (free.length === 0) return 'There are only those that the file names already.'
  return `There are ${free.slice(0, 6).join(', ')}${free.length > 6 ? ' ...' : ''}.`
}
