import { EXIT, Failure } from '../../errors.ts'
import type { Cluster, WantedNode } from '../cluster/cluster.ts'
import { edit } from '../cluster/edit.ts'
import type { Connection } from '../connections/connection.ts'
import { kindOfDisk } from '../disks/disk.ts'
import { type ListedDisk, listDisks } from './disks.ts'

/** What `disks: all-blank` means on a node now. */
export interface BlankDisks {
  node: string
  disks: ListedDisk[]
}

/** The nodes of the file whose disks nobody has accepted yet. */
export const withAllBlank = ({ nodes }: Cluster): WantedNode[] => nodes.filter(node => node.allBlank)

/** Throws Failure: 3 where a node has no blank disk, or cannot say of one what it holds; 4 where it does not answer. */
export async function blankDisks(on: Connection, o: { signal?: AbortSignal }): Promise<BlankDisks> {
  const { node } = on
  const all = await listDisks(on, o)
  const unknown = all.filter(disk => disk.state === 'unknown')
  if (unknown.length > 0)
    throw new Failure(`${node} cannot say which of its disks are blank.`, {
      exit: EXIT.preflight,
      why: unknown.map(({ id, path, why }) => `${id} (${path}): ${why.join(', ')}`).join('\n'),
      next: 'Look at these disks; or name those that are wanted in the file.',
    })
  const disks = all.filter(disk => disk.state === 'blank')
  if (disks.length > 0) return { node, disks }
  throw new Failure(`${node} has no blank disk.`, {
    exit: EXIT.preflight,
    why: all.map(({ id, why }) => `${id} ${why.join(', ')}`).join('\n') || 'it has no disks at all',
    next: `See them: llmagentos node disk list ${node}`,
  })
}

/** Writes the disks into cluster.yaml in place of `all-blank`; all else in it stays as it is. */
export function acceptDisks(
  file: string,
  o: { cluster: Cluster; found: BlankDisks[]; env: NodeJS.ProcessEnv },
): void {
  const changes = o.found.map(({ node, disks }) => ({
    path: ['nodes', o.cluster.nodes.findIndex(({ name }) => name === node), 'disks'],
    value: disks.map(disk => ({ id: disk.id, class: kindOfDisk(disk) })),
  }))
  edit(file, changes, o.env)
}
