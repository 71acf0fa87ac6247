import { clusters } from './cells.ts'
import type { Key } from './keys.ts'

/** What is being typed. `at` counts UTF-16 units; `recalled` is the line of `past` that is shown in place of the draft. */
export interface Editor {
  text: string
  at: number
  past: string[]
  recalled?: number
  draft: string
  pasting: boolean
}

export const emptyEditor: Editor = { text: '', at: 0, past: [], draft: '', pasting: false }

/** The line editor: one key pressed. Keys that mean nothing here change nothing. */
export function edited(e: Editor, key: Key): Editor {
  switch (key.name) {
    case 'text':
      return replaced(e, e.at, e.at, key.text)
    case 'newline':
      return replaced(e, e.at, e.at, '\n')
    case 'backspace':
      return replaced(e, previous(e), e.at, '')
    case 'delete':
      return replaced(e, e.at, following(e), '')
    case 'erase-word':
      return replaced(e, wordStart(e), e.at, '')
    case 'cut-before':
      return replaced(e, lineStart(e), e.at, '')
    case 'cut-after':
      return replaced(e, e.at, lineEnd(e), '')
    case 'left':
      return { ...e, at: previous(e) }
    case 'right':
      return { ...e, at: following(e) }
    case 'word-left':
      return { ...e, at: wordStart(e) }
    case 'word-right':
      return { ...e, at: e.at + /^\s*\S*/.exec(e.text.slice(e.at))![0].length }
    case 'home':
      return { ...e, at: lineStart(e) }
    case 'end':
      return { ...e, at: lineEnd(e) }
    case 'up':
      return lineStart(e) > 0 ? { ...e, at: lineUp(e) } : recalled(e, -1)
    case 'down':
      return lineEnd(e) < e.text.length ? { ...e, at: lineDown(e) } : recalled(e, 1)
    case 'paste-start':
      return { ...e, pasting: true }
    case 'paste-end':
      return { ...e, pasting: false }
    default:
      return e
  }
}

/** After its text was taken: empty, with the text as the newest of the past. */
export function taken(e: Editor): Editor {
  const past = e.text.trim() && e.past.at(-1) !== e.text ? [...e.past, e.text] : e.past
  return { ...emptyEditor, past }
}

/** Without its text, which is not kept. */
export const cleared = (e: Editor): Editor => ({ ...emptyEditor, past: e.past })

function replaced(e: Editor, from: number, to: number, text: string): Editor {
  return { ...e, text: e.text.slice(0, from) + text + e.text.slice(to), at: from + text.length }
}

const previous = (e: Editor) => e.at - (clusters(e.text.slice(0, e.at)).at(-1)?.length ?? 0)
const following = (e: Editor) => e.at + (clusters(e.text.slice(e.at))[0]?.length ?? 0)
const wordStart = (e: Editor) => e.at - /\S*\s*$/.exec(e.text.slice(0, e.at))![0].length
const lineStart = (e: Editor) => (e.at === 0 ? 0 : e.text.lastIndexOf('\n', e.at - 1) + 1)

function lineEnd(e: Editor): number {
  const end = e.text.indexOf('\n', e.at)
  return end < 0 ? e.text.length : end
}

function lineUp(e: Editor): number {
  const start = lineStart(e)
  return sameColumn(e, lineStart({ ...e, at: start - 1 }), start - 1)
}

function lineDown(e: Editor): number {
  const start = lineEnd(e) + 1
  return sameColumn(e, start, lineEnd({ ...e, at: start }))
}

function sameColumn(e: Editor, start: number, end: number): number {
  const column = clusters(e.text.slice(lineStart(e), e.at)).length
  return start + clusters(e.text.slice(start, end)).slice(0, column).join('').length
}

function recalled(e: Editor, step: number): Editor {
  const now = e.recalled ?? e.past.length
  const next = now + step
  if (next < 0 || next > e.past.length) return e
  const draft = now === e.past.length ? e.text : e.draft
  const text = next === e.past.length ? draft : e.past[next]!
  return { ...e, text, at: text.length, draft, recalled: next }
}
