import type { Cluster } from '../cluster.ts'
import type { Problem } from '../problems.ts'

/** A majority of an even number bears no more failures than one node less would: monitors and brokers want 1, 3 or 5. */
export function controlCount({ nodes }: Cluster): Problem[] {
  const count = nodes.filter(n => n.roles.includes('control')).length
  if ([1, 3, 5].includes(count)) return []
  if (count === 0)
    return [{ path: ['nodes'], says: 'has no control node', fix: 'Give 1, 3 or 5 nodes the role control.' }]
  const says =
    count > 5
      ? `has ${count} control nodes, more than 5`
      : `has ${count} control nodes, which bear no more failures than ${count - 1}`
  return [{ path: ['nodes'], says, fix: 'Give 1, 3 or 5 nodes the role control.' }]
}

/** What the file itself says is away cannot be counted on: most control nodes must be active. */
export function controlMajority({ nodes }: Cluster): Problem[] {
  const control = nodes.filter(n => n.roles.includes('control'))
  const active = control.filter(n => n.state === 'active').length
  if (control.length === 0 || active > control.length / 2) return []
  return [
    {
      path: ['nodes'],
      says: `has ${active} active of ${control.length} control nodes, which is no majority`,
      fix: 'Set most of them to state: active.',
    },
  ]
}

/** Disks are touched on storage nodes only, so a list elsewhere is a mistake in the role or in the list. */
export function disksNeedStorage({ nodes }: Cluster): Problem[] {
  return nodes.flatMap((node, i): Problem[] => {
    if (node.disks.length === 0 && !node.allBlank) return []
    if (!node.roles.includes('storage'))
      return [
        {
          path: ['nodes', i, 'disks'],
          says: `are given, but ${node.name} has no role storage`,
          fix: 'Add the role, or take the disks out.',
        },
      ]
    const ids = node.disks.map(d => d.id)
    return node.disks.flatMap((disk, k) => {
      const path = ['nodes', i, 'disks', k]
      if (ids.indexOf(disk.id) < k) return [{ path, says: `${disk.id} is given twice`, fix: 'Take one out.' }]
      return disk.db && ids.includes(disk.db)
        ? [{ path, says: `${disk.db} holds the index of a disk and is a disk itself`, fix: 'Choose one.' }]
        : []
    })
  })
}
