/** A major release of Ceph. */
export interface Release {
  name: string
  major: number
  /** When its fixes ended; undefined for one that is maintained. Known when this version was made, and looked up nowhere. */
  ended?: string
  /** Suites for which the Ceph project makes packages, as far as this version knows. */
  suites?: string[]
}

/** Oldest first. */
export const RELEASES: Release[] = [
  { name: 'pacific', major: 16, ended: '2024-03-04' },
  { name: 'quincy', major: 17, ended: '2025-01-13' },
  { name: 'reef', major: 18, ended: '2026-03-31', suites: ['bookworm'] },
  { name: 'squid', major: 19, ended: '2026-10-31', suites: ['bookworm'] },
  { name: 'tentacle', major: 20, suites: ['bookworm', 'jammy', 'noble'] },
  { name: 'umbrella', major: 21 },
]

/** Of the Ceph project, where the file names none and none is installed. */
export const USUAL = 'tentacle'

/** Of Debian itself, where the node's apt has no index yet. */
export const OF_DEBIAN: Record<string, string> = { bookworm: '16.2.15', trixie: '18.2.7', forky: '20.2.4' }

/** By its name, or by a version such as 20.2.5 or 18.2.7+ds-1. */
export function releaseOf(text: string): Release | undefined {
  const major = Number.parseInt(text, 10)
  return RELEASES.find(release => release.name === text || release.major === major)
}
