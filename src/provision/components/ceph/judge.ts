import type { Facts } from '../../facts/fact.ts'
import type { Finding, View } from '../component.ts'
import type { Config } from './schema.ts'
import { releaseOn, versionOf } from './sources.ts'

/** How Ceph is. */
export function judge(view: View<Config>, facts: Facts): Finding[] {
  return view.nodes.flatMap(node => {
    const [version, release] = [versionOf(node, view.config, facts), releaseOn(node, view.config, facts)]
    if (!release?.ended) return []
    return [
      {
        level: 'warn' as const,
        node: node.name,
        says: `Ceph ${version} (${release.name}) gets no more fixes since ${release.ended}.`,
        fix: 'Plan the way to a maintained release (components/ceph/source and release).',
      },
    ]
  })
}
