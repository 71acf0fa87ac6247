import type { Passage } from '../../../../contracts/ask.ts'
import { type Piece, piecesOf } from './pieces.ts'
import { termsOf } from './terms.ts'

/** A sentence of a passage, with the code that belongs to it. */
export interface Quote {
  /** Number of its passage, from 1. */
  n: number
  text: string
  code?: string
}

interface Candidate extends Quote {
  order: number
  counts: Map<string, number>
  length: number
  about: Set<string>
  score: number
}

const MOST_QUOTES = 5
const MOST_CHARS = 1600
/** A passage that holds less than this share of the question's terms is not about it. */
const LEAST_COVERAGE = 0.5
/** A quote this much worse than the best one only dilutes the answer. */
const LEAST_OF_BEST = 0.5

/**
 * The quotes that answer `question` best, the best passage first; [] when no passage is about it. Of a text that came with the
 * question ("sum this up"), those that say most of what the text is about, when none answers the question itself.
 */
export function bestQuotes(question: string, passages: Passage[]): Quote[] {
  const asked = [...new Set(termsOf(question))]
  const fitting = passages.map(p => asked.length > 0 && covers(p, asked))
  if (fitting.includes(true)) return quotesFor(asked, passages, fitting)
  const given = passages.map(isGiven)
  return quotesFor(mainTerms(passages.filter(isGiven)), passages, given)
}

/** llm calls what was piped into a question so. */
export const isGiven = (p: Passage) => p.kb === 'input'

function quotesFor(asked: string[], passages: Passage[], use: boolean[]): Quote[] {
  const candidates = passages.flatMap((p, i) => (use[i] ? candidatesOf(p, i + 1) : []))
  scoreAll(candidates, asked)
  const ranked = candidates.filter(c => c.score > 0).sort((a, b) => b.score - a.score || before(a, b))
  return bestPassageFirst(shortList(ranked)).map(({ n, text, code }) => ({ n, text, ...(code && { code }) }))
}

/** Quotes of one passage stay together in its order; whoever reads only the first lines reads the best passage. */
function bestPassageFirst(quotes: Candidate[]): Candidate[] {
  const rank = new Map<number, number>()
  for (const q of quotes) if (!rank.has(q.n)) rank.set(q.n, rank.size)
  return quotes.toSorted((a, b) => rank.get(a.n)! - rank.get(b.n)! || a.order - b.order)
}

function covers(passage: Passage, asked: string[]): boolean {
  const has = new Set(termsOf(`${passage.title} ${passage.position.heading ?? ''} ${passage.text}`))
  return asked.filter(t => has.has(t)).length / asked.length >= LEAST_COVERAGE
}

const MAIN_TERMS = 12
/** Code shows how, but a sentence says it; and an example may repeat a question without answering it. */
const CODE_WEIGHT = 0.6
const BARE_CODE_WEIGHT = 0.5

/** What a text is about: the terms that it repeats most. */
function mainTerms(passages: Passage[]): string[] {
  const counts = new Map<string, number>()
  for (const p of passages) for (const t of termsOf(p.text)) counts.set(t, (counts.get(t) ?? 0) + 1)
  const repeated = [...counts].filter(([, times]) => times > 1)
  return (repeated.length > 0 ? repeated : [...counts])
    .sort((a, b) => b[1] - a[1])
    .slice(0, MAIN_TERMS)
    .map(([term]) => term)
}

function candidatesOf(passage: Passage, n: number): Candidate[] {
  const heading = `${passage.title} ${passage.position.heading ?? ''}`
  return piecesOf(passage.text).map((piece: Piece, order) => {
    const [terms, codeTerms] = [termsOf(piece.text), termsOf(piece.code ?? '')]
    const counts = new Map<string, number>()
    for (const t of terms) counts.set(t, (counts.get(t) ?? 0) + 1)
    for (const t of codeTerms) counts.set(t, (counts.get(t) ?? 0) + CODE_WEIGHT)
    const about = new Set(termsOf(`${heading} ${piece.heading ?? ''}`))
    return {
      n,
      order,
      text: piece.text,
      code: piece.code,
      counts,
      length: terms.length + CODE_WEIGHT * codeTerms.length,
      about,
      score: 0,
    }
  })
}

/** BM25 over the candidates; words of the heading count less, and an earlier passage (the search's own order) a little more. */
function scoreAll(candidates: Candidate[], asked: string[]): void {
  const average = candidates.reduce((sum, c) => sum + c.length, 0) / (candidates.length || 1) || 1
  const rarity = asked.map(t => {
    const holding = candidates.filter(c => c.counts.has(t)).length
    return Math.log(1 + (candidates.length - holding + 0.5) / (holding + 0.5))
  })
  for (const c of candidates) {
    let own = 0
    let about = 0
    for (const [i, term] of asked.entries()) {
      const times = c.counts.get(term) ?? 0
      own += (rarity[i]! * times * 2.2) / (times + 1.2 * (0.25 + (0.75 * c.length) / average))
      if (c.about.has(term)) about += rarity[i]!
    }
    const bare = c.text ? 1 : BARE_CODE_WEIGHT
    c.score = (bare * (own + about * (own > 0 ? 0.5 : 0.15))) / (1 + 0.05 * (c.n - 1))
  }
}

function shortList(ranked: Candidate[]): Candidate[] {
  const taken: Candidate[] = []
  const seen = new Set<string>()
  let chars = 0
  for (const c of ranked) {
    if (taken.length === MOST_QUOTES || c.score < ranked[0]!.score * LEAST_OF_BEST) break
    const size = c.text.length + (c.code?.length ?? 0)
    if (seen.has(c.text) || (taken.length > 0 && chars + size > MOST_CHARS)) continue
    taken.push(c)
    seen.add(c.text)
    chars += size
  }
  return taken
}

const before = (a: Candidate, b: Candidate) => a.n - b.n || a.order - b.order
