import type { WantedNode } from '../../cluster/cluster.ts'
import type { Facts } from '../../facts/fact.ts'
import { os } from '../../facts/os.ts'
import type { View } from '../component.ts'
import { OF_DEBIAN, type Release, releaseOf } from './releases.ts'
import type { Config } from './schema.ts'
import { bare, installedOn, sourceOf } from './source/choose.ts'
import { archive, versionsFrom } from './source/fact.ts'

/** Installed, or what would be; undefined where the node does not tell, or has no index yet. Without revision: `18.2.7`. */
export function versionOf(view: View<Config>, node: WantedNode, facts: Facts): string | undefined {
  const installed = installedOn(node, facts)
  if (installed) return installed.version
  const source = sourceOf(view, node, facts)
  const atHand = facts.peek(node.name, archive)
  const url = source.kind === 'distro' ? undefined : source.url
  const versions = atHand.known ? versionsFrom(atHand.value, url).map(bare) : []
  if (source.kind !== 'distro') return versions.at(-1)
  const system = facts.peek(node.name, os)
  if (!system.known) return undefined
  return versions.at(-1) ?? OF_DEBIAN[system.value.codename]
}

/** The release of a node's Ceph; undefined for one that this version does not know. */
export function releaseOn(view: View<Config>, node: WantedNode, facts: Facts): Release | undefined {
  const version = versionOf(view, node, facts)
  if (version !== undefined) return releaseOf(version)
  const source = sourceOf(view, node, facts)
  return source.kind === 'distro' ? undefined : source.release
}
