import type { Passage } from '../../../contracts/ask.ts'

const PIECE_CHARS = 1_200

/** A text that came with the question, cut at paragraphs into passages that can be cited by line. */
export function passagesOf(material: string): Passage[] {
  const passages: Passage[] = []
  let line = 1
  let piece = ''
  let began = 1
  const close = () => {
    if (piece.trim())
      passages.push({
        kb: 'input',
        document: 'stdin',
        title: 'what was piped in',
        position: { line: began },
        text: piece.trim(),
        score: 0,
      })
    piece = ''
  }
  for (const paragraph of material.split(/(?<=\n)\n+/)) {
    if (piece && piece.length + paragraph.length > PIECE_CHARS) close()
    if (!piece) began = line
    piece += `${paragraph}\n`
    line += paragraph.split('\n').length
  }
  close()
  return passages
}

/** Those that share the most words with the question, as many as fit, in the order of the text. */
export function mostRelevant(passages: Passage[], question: string, room: number): Passage[] {
  const words = new Set(wordsOf(question))
  const ranked = passages
    .map((p, at) => ({ p, at, hits: wordsOf(p.text).filter(w => words.has(w)).length }))
    .toSorted((a, b) => b.hits - a.hits || a.at - b.at)
  let left = room
  const kept = ranked.filter(r => {
    left -= r.p.text.length
    return left >= 0
  })
  return kept.toSorted((a, b) => a.at - b.at).map(r => r.p)
}

const wordsOf = (text: string) => text.toLowerCase().match(/\p{L}{3,}/gu) ?? []
