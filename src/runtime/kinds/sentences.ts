import { splitText } from './text.ts'

const SHORTEST_WORD = 4
const MOST_CHARS = 500_000
const PIECE_CHARS = 5_000

/** The `count` sentences whose words stand most often in the text, in the order of the text. */
export function mainSentences(text: string, count: number): string[] {
  const sentences = sentencesOf(text.slice(0, MOST_CHARS))
  if (sentences.length <= count) return sentences
  const often = new Map<string, number>()
  for (const word of wordsOf(text.slice(0, MOST_CHARS))) often.set(word, (often.get(word) ?? 0) + 1)
  return sentences
    .map((sentence, at) => ({ sentence, at, weight: weightOf(sentence, often) }))
    .sort((a, b) => b.weight - a.weight || a.at - b.at)
    .slice(0, count)
    .sort((a, b) => a.at - b.at)
    .map(s => s.sentence)
}

/** Sentences by the rules of Unicode, with line breaks inside them as spaces. */
export function sentencesOf(text: string): string[] {
  const paragraphs = text.split(/\n\s*\n/).map(p => p.replace(/\s+/g, ' ').trim())
  const segmenter = new Intl.Segmenter(undefined, { granularity: 'sentence' })
  const sentences: string[] = []
  // Each segment that V8 hands out holds a copy of the whole input, so the input has to be short.
  for (const piece of paragraphs.flatMap(p => splitText(p, PIECE_CHARS)))
    for (const { segment } of segmenter.segment(piece)) if (segment.trim()) sentences.push(segment.trim())
  return sentences
}

/** By the square root of its length, so that long sentences do not win by length alone. */
function weightOf(sentence: string, often: ReadonlyMap<string, number>): number {
  const words = new Set(wordsOf(sentence))
  let sum = 0
  for (const word of words) sum += (often.get(word) ?? 0) - 1
  return sum / Math.sqrt(words.size || 1)
}

const wordsOf = (text: string) =>
  (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).filter(w => w.length >= SHORTEST_WORD)
