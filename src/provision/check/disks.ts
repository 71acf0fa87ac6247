import type { WantedNode } from '../cluster/cluster.ts'
import { nearest } from '../cluster/read/nearest.ts'
import type { Finding } from '../components/component.ts'
import { type Disk, disks as fact } from '../facts/disks.ts'
import { type Concern, onEach } from './concern.ts'
import { size } from './units.ts'

/** The disks that the file names are there, are different ones, and hold nothing. */
export const disks: Concern = {
  name: 'disks',
  facts: (_, node) => (idsOf(node).length > 0 ? [factOf(node)] : []),
  judge: ({ nodes }, facts) =>
    onEach(
      { nodes: nodes.filter(node => idsOf(node).length > 0), facts, what: 'what its disks hold' },
      factOf,
      ({ disks, there }) => disks.map(disk => judgeDisk(disk, { disks, there })),
    ),
}

const factOf = (node: WantedNode) => fact(idsOf(node))

const idsOf = (node: WantedNode): string[] => [
  ...new Set(node.disks.flatMap(disk => [disk.id, ...(disk.db ? [disk.db] : [])])),
]

function judgeDisk(disk: Disk, o: { disks: Disk[]; there: string[] }): Finding {
  const { id, path, sizeBytes, holds } = disk
  if (!path) return { level: 'bad', says: `There is no disk ${id} in /dev/disk/by-id.`, fix: instead(id, o) }
  const same = o.disks.find(other => other.path === path && other !== disk)
  if (same)
    return {
      level: 'bad',
      says: `${id} and ${same.id} are one disk, ${path}.`,
      fix: 'Name each disk once in the file.',
    }
  if (holds.length === 0) return { level: 'ok', says: `${id} is blank, ${size(sizeBytes)}.` }
  const says = `${id} (${path}, ${size(sizeBytes)}) is not blank: it holds ${holds.join(', ')}.`
  // What an earlier run of ours may have made. Whose it is, only the component can tell.
  if (holds.some(what => /^ceph_bluestore/.test(what))) return { level: 'warn', says }
  return {
    level: 'bad',
    says,
    fix: `Take it out of the file; or, if all on it may be lost, empty it there: wipefs -a ${path}`,
  }
}

function instead(id: string, o: { disks: Disk[]; there: string[] }): string {
  const free = o.there.filter(name => !o.disks.some(disk => disk.path && disk.id === name))
  const meant = nearest(id, free)
  if (meant) return `Did you mean ${meant}?`
  if (o.there.length === 0) return 'There is none at all: ls -l /dev/disk/by-id'
  if (free.length === 0) return 'There are only those that the file names already.'
  return `There are ${free.slice(0, 6).join(', ')}${free.length > 6 ? ' ...' : ''}.`
}
