/** Part of a text: where it begins in it, in UTF-16 units. */
export interface Piece {
  from: number
  text: string
}

/**
 * Cuts a text into pieces of at most `most` characters: at the end of a line (`lines`) or of a sentence, else between words, else anywhere but
 * inside a character. Pieces of prose overlap by about `overlap`, so that a thought that is cut stands whole in one of them.
 */
export function split(text: string, o: { most: number; overlap: number; lines: boolean }): Piece[] {
  const pieces: Piece[] = []
  let from = skipBlank(text, 0)
  while (from < text.length) {
    const end = text.length - from <= o.most ? text.length : cut(text, from, o)
    const piece = text.slice(from, end).trimEnd()
    if (piece) pieces.push({ from, text: piece })
    if (end >= text.length) break
    from = o.lines ? skipBlank(text, end) : overlapping(text, { from, end, overlap: o.overlap })
  }
  return pieces
}

function cut(text: string, from: number, o: { most: number; lines: boolean }): number {
  const window = text.slice(from, from + o.most)
  const least = Math.floor(o.most / 2)
  const marks = o.lines ? [/\n/g, SENTENCE, /\s/g] : [SENTENCE, /\n/g, /\s/g]
  for (const mark of marks) {
    const at = lastAfter(window, mark, least)
    if (at !== undefined) return from + at
  }
  const end = from + o.most
  return isInsideCharacter(text, end) ? end - 1 : end
}

const SENTENCE = /[.!?…]["'”’)\]]*\s|[。！？]/g

/** The end of the last match that lies beyond `least`. */
function lastAfter(window: string, mark: RegExp, least: number): number | undefined {
  let at: number | undefined
  for (const m of window.matchAll(mark)) if (m.index + m[0].length > least) at = m.index + m[0].length
  return at
}

/** Steps back by the overlap, to the beginning of a word where there is one. */
function overlapping(text: string, o: { from: number; end: number; overlap: number }): number {
  const back = Math.max(o.end - o.overlap, o.from + 1)
  const word = /\s\S/.exec(text.slice(back, o.end))
  const next = word ? back + word.index + 1 : skipBlank(text, o.end)
  return isInsideCharacter(text, next) ? next + 1 : next
}

function skipBlank(text: string, from: number): number {
  const at = text.slice(from).search(/\S/)
  return at < 0 ? text.length : from + at
}

const isInsideCharacter = (text: string, at: number) => /[\udc00-\udfff]/.test(text[at] ?? '')
