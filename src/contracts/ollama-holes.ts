/** Ollama's published holes that concern whoever can reach its port: the last version that has each. */
const HOLES = [
  { upTo: [0, 17, 0], says: 'CVE-2026-7482 (reads memory through /api/create)' },
  { upTo: [0, 20, 2], says: 'CVE-2026-7020 (path traversal)' },
]

/** A note for a version of Ollama with known holes. Not a refusal: on one machine only its own users reach it. */
export function knownHoles(version: string): string | undefined {
  const parts = /^v?(\d+)\.(\d+)\.(\d+)/.exec(version)?.slice(1).map(Number)
  if (!parts) return undefined
  const open = HOLES.filter(h => compare(parts, h.upTo) <= 0).map(h => h.says)
  return open.length
    ? `Ollama ${version} has known holes: ${open.join(', ')}. Install one newer than 0.20.2.`
    : undefined
}

function compare(a: number[], b: number[]): number {
  const at = a.findIndex((part, i) => part !== b[i])
  return at < 0 ? 0 : a[at]! - b[at]!
}
