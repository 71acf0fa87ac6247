import type { WantedNode } from '../../cluster/cluster.ts'
import type { Fact, Facts } from '../../facts/fact.ts'
import { linesOf } from '../../facts/fields.ts'
import { os } from '../../facts/os.ts'
import { packages } from '../../facts/packages.ts'
import { APT_ENV } from '../../os/apt.ts'
import { OF_DEBIAN, type Release, releaseOf } from './releases.ts'

/** The package whose version stands for all of Ceph's on a node. */
export const PACKAGE = 'ceph-common'

/** Versions that the node's apt could install, by where they come from; the installed one is not among them. */
export const candidate: Fact<string[]> = {
  id: 'versions of Ceph at hand',
  deadlineMs: 15_000,
  script: `[ ! -e ${APT_ENV} ] || . ${APT_ENV}
apt-cache madison ${PACKAGE} 2>/dev/null | cut -d'|' -f2 | tr -d ' ' | sort -uV`,
  parse: linesOf,
}

/** Installed, or what would be; undefined where the node does not tell. Without revision: `18.2.7`. */
export function versionOf({ name }: WantedNode, facts: Facts): string | undefined {
  const have = facts.peek(name, packages)
  const found = have.known ? have.value.all.get(PACKAGE) : undefined
  if (found?.installed) return bare(found.version)
  const system = facts.peek(name, os)
  if (!system.known) return undefined
  const { codename } = system.value
  const atHand = facts.peek(name, candidate)
  const versions = (atHand.known ? atHand.value : []).map(bare)
  return versions.at(-1) ?? OF_DEBIAN[codename]
}

/** The release of a node's Ceph; undefined for one that this version does not know. */
export function releaseOn(node: WantedNode, facts: Facts): Release | undefined {
  const version = versionOf(node, facts)
  return version === undefined ? undefined : releaseOf(version)
}

const bare = (version: string) => version.replace(/^\d+:/, '').replace(/[-+~].*$/, '')
