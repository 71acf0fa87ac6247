import type { WantedNode } from '../../../cluster/cluster.ts'
import type { Facts } from '../../../facts/fact.ts'
import { kept } from '../../../facts/kept.ts'
import { os } from '../../../facts/os.ts'
import { packages } from '../../../facts/packages.ts'
import type { View } from '../../component.ts'
import { COMPONENT } from '../names.ts'
import { type Release, releaseOf, USUAL } from '../releases.ts'
import type { Config } from '../schema.ts'
import { KEY_FILE, PREFERENCES } from './places.ts'

/** The package whose version stands for all of Ceph's on a node. */
export const PACKAGE = 'ceph-common'

/** Where a node's Ceph comes from. */
export type Source =
  | { kind: 'distro' }
  /** Signed by the key of that file. `release` is undefined where nobody says it. */
  | { kind: 'upstream' | 'mirror'; url: string; key: string; release: Release | undefined }

/** What the file says; else as it is installed; else the Ceph project where it makes packages for the suite. */
export function sourceOf(view: View<Config>, node: WantedNode, facts: Facts): Source {
  const { source } = view.config
  if (source === 'distro') return DISTRO
  if (source === 'upstream') return upstream(releaseWanted(view, facts, USUAL)!)
  if (typeof source === 'object') {
    const key = source.key?.startsWith('/') ? source.key : KEY_FILE
    const named = /\/debian-([a-z]+)\/?$/.exec(source.mirror)?.[1]
    return { kind: 'mirror', url: source.mirror, key, release: releaseWanted(view, facts, named) }
  }
  const own = installedOn(node, facts)
  if ((own ?? installedIn(view, facts))?.by === 'distro') return DISTRO
  const release = releaseWanted(view, facts, USUAL)!
  if (own) return upstream(release)
  const system = facts.peek(node.name, os)
  return system.known && release.suites?.includes(system.value.codename) ? upstream(release) : DISTRO
}

const DISTRO: Source = { kind: 'distro' }

const upstream = (release: Release): Source => ({
  kind: 'upstream',
  url: `https://download.ceph.com/debian-${release.name}`,
  key: KEY_FILE,
  release,
})

/** A release that is installed is not left because a version of ours would take another. */
function releaseWanted(view: View<Config>, facts: Facts, otherwise: string | undefined): Release | undefined {
  const named = view.config.release ?? installedIn(view, facts)?.version ?? otherwise
  return named === undefined ? undefined : releaseOf(named)
}

/** Whose packages the node has; undefined where it has none, or does not tell. */
export function installedOn(
  { name }: Pick<WantedNode, 'name'>,
  facts: Facts,
): { version: string; by: 'distro' | 'ours' } | undefined {
  const [have, manifest] = [facts.peek(name, packages), facts.peek(name, kept)]
  const found = have.known ? have.value.all.get(PACKAGE) : undefined
  if (!found?.installed || !manifest.known) return undefined
  const ours = manifest.value.entries.some(e => e.component === COMPONENT && e.name === PREFERENCES)
  return { version: bare(found.version), by: ours ? 'ours' : 'distro' }
}

const installedIn = (view: View<Config>, facts: Facts) =>
  view.nodes.flatMap(node => installedOn(node, facts) ?? [])[0]

/** Without epoch and revision. */
export const bare = (version: string) => version.replace(/^\d+:/, '').replace(/[-+~].*$/, '')
