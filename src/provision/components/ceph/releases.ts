/** A major release of Ceph. */
export interface Release {
  name: string
  major: number
  /** When its fixes ended; undefined for one that is maintained. Known when this version was made, and looked up nowhere. */
  ended?: string
  /** Suites of Debian that the Ceph project builds it for. */
  builtFor: string[]
}

/** Oldest first. */
export const RELEASES: Release[] = [
  { name: 'pacific', major: 16, ended: '2024-03-04', builtFor: [] },
  { name: 'quincy', major: 17, ended: '2025-01-13', builtFor: ['bookworm'] },
  { name: 'reef', major: 18, ended: '2026-03-31', builtFor: ['bookworm'] },
  { name: 'squid', major: 19, ended: '2026-10-31', builtFor: ['bookworm'] },
  { name: 'tentacle', major: 20, builtFor: ['bookworm'] },
  { name: 'umbrella', major: 21, builtFor: ['bookworm', 'trixie'] },
]

/** Of Debian itself, where the node's apt has no index yet. */
export const OF_DEBIAN: Record<string, string> = { bookworm: '16.2.15', trixie: '18.2.7', forky: '20.2.4' }

/** By its name, or by a version such as 20.2.5 or 18.2.7+ds-1. */
export function releaseOf(text: string): Release | undefined {
  const major = Number.parseInt(text, 10)
  return RELEASES.find(release => release.name === text || release.major === major)
}

/** What the Ceph project has for a suite by itself: the oldest that is maintained, which has had the most fixes. */
export const usualFor = (suite: string): Release | undefined =>
  RELEASES.find(release => release.ended === undefined && release.builtFor.includes(suite))
