import type { WantedNode } from '../../cluster/cluster.ts'
import type { Fact, Facts } from '../../facts/fact.ts'
import { linesOf } from '../../facts/fields.ts'
import { os } from '../../facts/os.ts'
import { packages } from '../../facts/packages.ts'
import { APT_ENV } from '../../os/apt.ts'
import { OF_DEBIAN, type Release, releaseOf, usualFor } from './releases.ts'
import type { Config } from './schema.ts'

/** The package whose version stands for all of Ceph's on a node. */
export const PACKAGE = 'ceph-common'

/** Where a node's packages come from: `distro`, or the address above debian-RELEASE. */
export interface Source {
  from: 'distro' | string
  /** Part of the address: `tentacle`, or a version. */
  release?: string
}

const UPSTREAM = 'https://download.ceph.com'

/** What the file means for a suite of Debian. */
export function sourceFor({ source, release }: Config, suite: string): Source {
  if (source === 'distro' || (source === undefined && !usualFor(suite))) return { from: 'distro' }
  return {
    from: source === undefined || source === 'upstream' ? UPSTREAM : source.replace(/\/+$/, ''),
    release: release ?? usualFor(suite)?.name,
  }
}

/** Versions that the node's apt could install, by where they come from; the installed one is not among them. */
export const candidate: Fact<string[]> = {
  id: 'versions of Ceph at hand',
  deadlineMs: 15_000,
  script: `[ ! -e ${APT_ENV} ] || . ${APT_ENV}
apt-cache madison ${PACKAGE} 2>/dev/null | cut -d'|' -f2 | tr -d ' ' | sort -u`,
  parse: linesOf,
}

/** Installed, or what would be; undefined where the node does not tell. Without revision: `18.2.7`. */
export function versionOf({ name }: WantedNode, config: Config, facts: Facts): string | undefined {
  const have = facts.peek(name, packages)
  const found = have.known ? have.value.all.get(PACKAGE) : undefined
  if (found?.installed) return bare(found.version)
  const system = facts.peek(name, os)
  if (!system.known) return undefined
  const { codename } = system.value
  const source = sourceFor(config, codename)
  const atHand = facts.peek(name, candidate)
  const versions = (atHand.known ? atHand.value : []).map(bare)
  if (source.from === 'distro') return versions[0] ?? OF_DEBIAN[codename]
  const wanted = source.release && releaseOf(source.release)
  return wanted
    ? (versions.find(version => releaseOf(version) === wanted) ?? String(wanted.major))
    : undefined
}

/** The release of a node's Ceph; undefined for one that this version does not know. */
export function releaseOn(node: WantedNode, config: Config, facts: Facts): Release | undefined {
  const version = versionOf(node, config, facts)
  return version === undefined ? undefined : releaseOf(version)
}

const bare = (version: string) => version.replace(/^\d+:/, '').replace(/[-+~].*$/, '')
