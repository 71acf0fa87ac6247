import type { Hit } from './table.ts'

/** Damps the lead of the first places; 60 is what the method was published with and what search engines use. */
const K = 60

/**
 * One ranking out of several, by reciprocal rank fusion: each list gives 1 / (60 + place). A word score (BM25) and a cosine have no common
 * scale, and no weights between them hold for every corpus; places do. A passage that two lists name rises above one that a single list names.
 */
export function fuse<T extends Pick<Hit, 'key' | 'seq' | 'weight'>>(lists: T[][]): T[] {
  const best = new Map<string, T>()
  for (const list of lists) {
    list.forEach((hit, place) => {
      const id = `${hit.key}:${hit.seq}`
      const score = 1 / (K + place + 1)
      const known = best.get(id)
      best.set(id, known ? { ...known, weight: known.weight + score } : { ...hit, weight: score })
    })
  }
  return [...best.values()].sort((a, b) => b.weight - a.weight)
}
