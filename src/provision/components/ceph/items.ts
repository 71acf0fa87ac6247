import type { WantedNode } from '../../cluster/cluster.ts'
import type { Facts } from '../../facts/fact.ts'
import type { Item } from '../../os/item.ts'
import type { View } from '../component.ts'
import { isMon } from './names.ts'
import type { Config } from './schema.ts'
import { releaseOn, versionOf } from './sources.ts'

/** What Ceph keeps on a node, in the order of making. */
export function items(view: View<Config>, facts: Facts, node: WantedNode): Item[] {
  return [{ kind: 'package', names: packagesOf(node), held: true, says: saysOf(view, facts, node) }]
}

const packagesOf = (node: WantedNode) => ['ceph-common', ...(isMon(node) ? ['ceph-mon', 'ceph-mgr'] : [])]

/** `Ceph 18.2.7, end of life since 2026-03-31`. */
function saysOf({ config }: View<Config>, facts: Facts, node: WantedNode): string {
  const [version, release] = [versionOf(node, config, facts), releaseOn(node, config, facts)]
  const name = release ? ` (${release.name})` : ''
  return `Ceph ${version ?? ''}${name}${release?.ended ? `, end of life since ${release.ended}` : ''}`
}
