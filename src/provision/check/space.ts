import type { WantedNode } from '../cluster/cluster.ts'
import type { Finding } from '../components/component.ts'
import { kept } from '../facts/kept.ts'
import { space as fact, type Space } from '../facts/space.ts'
import { type Concern, onEach, type Site } from './concern.ts'
import { size } from './units.ts'

const MiB = 2 ** 20
const FULL = 256 * MiB
const NARROW = 1024 * MiB
const FEW_INODES = 10_000

/** The file systems that we write to can be written, and hold what components may put there. */
export const space: Concern = {
  name: 'space',
  facts: (site, node) => [spaceFact(site, node), kept],
  judge: (site, facts) =>
    onEach(
      { ...site, facts, what: 'how much room its disks have' },
      node => spaceFact(site, node),
      (found, node) => {
        const manifest = facts.peek(node.name, kept)
        // What components use at most is in use already where they run.
        const fresh = manifest.known && manifest.value.entries.length === 0
        const wanted = diskWanted(site, node)
        const wrong = [...mountsOf(found)].flatMap(([mount, spaces]) => [
          ...judgeMount(mount, spaces),
          ...judgeWanted(spaces[0]!, {
            fresh,
            wanted: wanted.filter(w => spaces.some(s => s.path === w.path)).reduce((n, w) => n + w.bytes, 0),
          }),
        ])
        const root = found.find(({ path }) => path === '/')!
        const total = wanted.reduce((sum, w) => sum + w.bytes, 0)
        const says = `The cluster may use ${size(total)} on its disks; / has ${size(root.freeBytes)} of ${size(root.sizeBytes)} free.`
        return wrong.length > 0 ? wrong : [{ level: 'ok', says }]
      },
    ),
}

/** What components may use on the node, by path. */
export const diskWanted = ({ parts }: Site, node: WantedNode) =>
  parts
    .filter(({ view }) => view.nodes.includes(node))
    .flatMap(({ component, view }) => component.uses(view, node).disk)

export const spaceFact = (site: Site, node: WantedNode) =>
  fact(diskWanted(site, node).map(({ path }) => path))

function mountsOf(found: Space[]): Map<string, Space[]> {
  const mounts = new Map<string, Space[]>()
  for (const space of found) mounts.set(space.mount, [...(mounts.get(space.mount) ?? []), space])
  return mounts
}

function judgeMount(mount: string, spaces: Space[]): Finding[] {
  const { freeBytes, freeInodes, writable, sizeBytes } = spaces[0]!
  const where = mount === '/' ? '/' : `${mount}, which holds ${spaces.map(({ path }) => path).join(', ')},`
  if (!writable)
    return [
      {
        level: 'bad',
        says: `${where} cannot be written.`,
        fix: 'Look why it is read-only: dmesg, /etc/fstab.',
      },
    ]
  // A file system in memory is small on purpose.
  const few = Math.min(FULL, sizeBytes / 10)
  if (freeBytes < few)
    return [
      {
        level: 'bad',
        says: `${where} is full: ${size(freeBytes)} of ${size(sizeBytes)} are free.`,
        fix: `Make room: apt-get clean; journalctl --vacuum-size=100M; du -xhd1 ${mount} | sort -h`,
      },
    ]
  if (freeInodes !== undefined && freeInodes < FEW_INODES)
    return [
      {
        level: 'bad',
        says: `${where} has only ${freeInodes} inodes left.`,
        fix: `Find the many files: du --inodes -xd1 ${mount} | sort -h`,
      },
    ]
  if (freeBytes < Math.min(NARROW, sizeBytes / 5))
    return [
      {
        level: 'warn',
        says: `${where} has only ${size(freeBytes)} free of ${size(sizeBytes)}.`,
        fix: `Make room: apt-get clean; journalctl --vacuum-size=100M; du -xhd1 ${mount} | sort -h`,
      },
    ]
  return []
}

function judgeWanted(
  { mount, sizeBytes, freeBytes }: Space,
  o: { fresh: boolean; wanted: number },
): Finding[] {
  const room = o.fresh ? freeBytes : sizeBytes
  if (o.wanted <= room * 0.9) return []
  return [
    {
      level: 'bad',
      says: `The cluster may use ${size(o.wanted)} on ${mount}, which has ${size(room)}${o.fresh ? ' free' : ''}.`,
      fix: 'Give it a larger disk, or place less on it.',
    },
  ]
}
