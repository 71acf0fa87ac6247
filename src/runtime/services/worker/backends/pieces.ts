/** A sentence, list item or table row of a Markdown text, under its heading, with the code block that follows it. */
export interface Piece {
  text: string
  code?: string
  heading?: string
}

const MOST_CODE_CHARS = 1200
const FENCE = /^\s*(`{3,}|~{3,})/
const HEADING = /^#{1,6}\s+(.*?)\s*#*$/
/** What starts a piece of its own: a list item or a table row. */
const ITEM = /^\s*(?:[-*+]|\d{1,3}[.)])\s+|^\s*\|/
/** The rule of a table or between sections, and an empty line. */
const RULE = /^[\s:|-]*$/
const INDENTED = /^(?: {4}|\t)\S/

/** Splits a passage into what can be quoted from it, in order. */
export function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = []
  let heading: string | undefined
  let paragraph: string[] = []
  let code: string[] | undefined
  let fence = ''

  const endParagraph = () => {
    for (const sentence of sentencesOf(paragraph.join(' '))) pieces.push({ text: sentence, heading })
    paragraph = []
  }
  const endCode = () => {
    if (code?.some(line => line.trim())) attach(pieces, code.join('\n').trimEnd(), heading)
    code = undefined
    fence = ''
  }

  for (const line of text.split(/\r?\n/)) {
    const mark = FENCE.exec(line)?.[1]
    if (fence) {
      if (mark?.startsWith(fence)) endCode()
      else code!.push(line)
      continue
    }
    if (code && !INDENTED.test(line)) endCode()
    const title = HEADING.exec(line)?.[1]
    if (mark) {
      endParagraph()
      fence = mark
      code = []
    } else if (title !== undefined) {
      endParagraph()
      heading = title
    } else if (INDENTED.test(line) && paragraph.length === 0) {
      code = [...(code ?? []), line.trimStart()]
    } else if (RULE.test(line)) {
      // The row above it only names the columns.
      if (paragraph.at(-1)?.startsWith('|')) paragraph.pop()
      endParagraph()
    } else {
      if (ITEM.test(line)) endParagraph()
      paragraph.push(line.trim())
    }
  }
  endParagraph()
  endCode()
  return pieces
}

/** Code without a sentence before it stands for itself; very long code is left out, since half of a command misleads. */
function attach(pieces: Piece[], code: string, heading: string | undefined): void {
  if (code.length > MOST_CODE_CHARS) return
  const last = pieces.at(-1)
  if (last && last.heading === heading && !last.code) last.code = code
  else pieces.push({ text: '', code, heading })
}

const BREAK =
  /(?<=[.!?]["')\]]*)(?<!\b(?:e\.g|i\.e|etc|vs|cf|approx|no|Dr|Mr|Mrs)\.)\s+(?=[\p{Lu}\p{N}"'`([*_])|(?<=[。！？])/u
const MARKER = /^(?:[-*+]|\d{1,3}[.)])\s+/
const ROW = /^\|(.*)\|$/

function sentencesOf(paragraph: string): string[] {
  const sentences: string[] = []
  for (const part of paragraph.replace(MARKER, '').replace(ROW, '$1').split(BREAK)) {
    const sentence = part.trim()
    // "For example:" says nothing without the sentence that it goes on from.
    if (sentence.endsWith(':') && sentence.length < 40 && sentences.length > 0)
      sentences.push(`${sentences.pop()} ${sentence}`)
    else if (sentence) sentences.push(sentence)
  }
  return sentences
}
