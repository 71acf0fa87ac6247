import type { Hit } from './table.ts'
import { indexText } from './words.ts'

/** The usual constants of BM25: how soon a repeated word stops counting, and how much long texts are discounted. */
const K1 = 1.2
const B = 0.75

/**
 * Weighs hits of several knowledge bases against each other. Each weighed its own by how rare a word is in itself: in one that holds three notes
 * nothing is rare, so a note with every word of the question would lose to a page of a large one with a single word of it. Here the hits of all
 * are the corpus (BM25), by words cut to a rough stem.
 */
export function rescore<T extends Pick<Hit, 'title' | 'heading' | 'text' | 'weight'>>(
  hits: T[],
  query: string,
): T[] {
  const terms = [...new Set(stems(query))]
  const texts = hits.map(hit => countOf([hit.title, hit.heading, hit.text].filter(Boolean).join('\n')))
  const length = texts.reduce((n, t) => n + t.length, 0) / Math.max(1, texts.length)
  const rarity = new Map(
    terms.map(term => {
      const df = texts.filter(t => t.counts.has(term)).length
      return [term, Math.log(1 + (hits.length - df + 0.5) / (df + 0.5))]
    }),
  )
  return hits.map((hit, i) => {
    const { counts, length: own } = texts[i]!
    const weight = terms.reduce((sum, term) => {
      const tf = counts.get(term) ?? 0
      return sum + (rarity.get(term)! * tf * (K1 + 1)) / (tf + K1 * (1 - B + (B * own) / length))
    }, 0)
    return { ...hit, weight }
  })
}

function countOf(text: string): { counts: Map<string, number>; length: number } {
  const words = stems(indexText(text))
  const counts = new Map<string, number>()
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
  return { counts, length: words.length }
}

const stems = (text: string) =>
  (
    text
      .toLowerCase()
      .normalize('NFKD')
      .replace(/\p{M}/gu, '')
      .match(/[\p{Alphabetic}\p{N}]+/gu) ?? []
  ).map(stem)

const stem = (word: string) =>
  word.length > 4 ? word.replace(/(?:ing|ed|es|s|e)$/, '').replace(/([bdfgmnprt])\1$/, '$1') : word
