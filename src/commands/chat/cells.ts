/** Lines of at most `columns` cells: broken between words and between wide characters, inside a word only where it is too long for a line. */
export function wrapped(text: string, columns: number): string[] {
  return text.split('\n').flatMap(line => wrappedLine(line, Math.max(2, columns)))
}

/** How many cells of a terminal a text takes. */
export function widthOf(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length
  return clusters(text).reduce((sum, c) => sum + clusterWidth(c), 0)
}

/** What a person sees as one character each, and the cursor steps over at once. */
export function clusters(text: string): string[] {
  return Array.from(segmenter.segment(text), s => s.segment)
}

/** Text from elsewhere, without what would move a terminal's cursor or change its state. */
export function harmless(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replace(/\t/g, '    ')
    .replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, '')
}

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

function wrappedLine(text: string, columns: number): string[] {
  const lines: string[] = []
  let line = ''
  let used = 0
  let gap = ''
  for (const word of words(text)) {
    if (word.startsWith(' ')) {
      gap += word
      continue
    }
    const width = widthOf(word)
    if (used + gap.length + width <= columns) {
      line += gap + word
      used += gap.length + width
    } else {
      const pieces = broken(word, columns)
      if (line) lines.push(line)
      lines.push(...pieces.slice(0, -1))
      line = pieces.at(-1)!
      used = widthOf(line)
    }
    gap = ''
  }
  lines.push(line + gap)
  return lines
}

/** Runs of spaces, runs of narrow characters, and each wide character by itself. */
function words(text: string): string[] {
  if (/^[\x20-\x7e]*$/.test(text)) return text.match(/ +|[^ ]+/g) ?? []
  const out: string[] = []
  let before = ''
  for (const c of clusters(text)) {
    const sort = c === ' ' ? 'space' : clusterWidth(c) > 1 ? 'wide' : 'narrow'
    if (sort === before && sort !== 'wide') out[out.length - 1] += c
    else out.push(c)
    before = sort
  }
  return out
}

function broken(word: string, columns: number): string[] {
  const pieces = ['']
  let used = 0
  for (const c of clusters(word)) {
    const width = clusterWidth(c)
    if (used + width > columns) {
      pieces.push('')
      used = 0
    }
    pieces[pieces.length - 1] += c
    used += width
  }
  return pieces
}

function clusterWidth(c: string): number {
  if (/^[\p{Mn}\p{Me}\p{Cf}\p{Cc}]+$/u.test(c)) return 0
  return WIDE.test(c) || /\p{Emoji_Presentation}|\ufe0f/u.test(c) ? 2 : 1
}

/** East Asian Width W and F (Unicode Annex 11), without the emoji; expressions have no name for it. */
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1b000}-\u{1b2ff}\u{1f200}-\u{1f265}\u{20000}-\u{3fffd}]/u
