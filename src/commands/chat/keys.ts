import { harmless } from './cells.ts'

export type Key = { name: 'text'; text: string } | { name: KeyName }

export type KeyName =
  | 'newline'
  | 'backspace'
  | 'delete'
  | 'erase-word'
  | 'cut-before'
  | 'cut-after'
  | 'left'
  | 'right'
  | 'word-left'
  | 'word-right'
  | 'home'
  | 'end'
  | 'up'
  | 'down'
  | 'paste-start'
  | 'paste-end'
  | 'enter'
  | 'interrupt'
  | 'escape'
  | 'end-of-input'

/** What ink's useInput says of a key beside its text. */
export interface InkKey {
  upArrow: boolean
  downArrow: boolean
  leftArrow: boolean
  rightArrow: boolean
  home: boolean
  end: boolean
  return: boolean
  escape: boolean
  ctrl: boolean
  tab: boolean
  backspace: boolean
  delete: boolean
  meta: boolean
}

/**
 * The keys in one event of ink. An event may hold several: whoever types fast, or a program that types, sends text and Enter at
 * once. Within a paste (its beginning and end are keys of their own) everything is text.
 */
export function keysOf(input: string, key: InkKey, pasting: boolean): Key[] {
  if (input === '[200~') return [{ name: 'paste-start' }]
  if (input === '[201~') return [{ name: 'paste-end' }]
  if (pasting) return text(key.return ? '\n' : key.tab ? '\t' : key.ctrl ? '' : input)
  const special = specialOf(key)
  if (special) return [{ name: special }]
  if (key.ctrl) return named(CONTROLS[String.fromCharCode(input.charCodeAt(0) & 0x1f)])
  if (key.meta) return named(META[input])
  if (key.tab || UNKNOWN_SEQUENCE.test(input)) return []
  if (UNMARKED_PASTE.test(input)) return text(input)
  return (input.match(/[\u0000-\u001f\u007f]|[^\u0000-\u001f\u007f]+/g) ?? []).flatMap(piece =>
    /^[\u0000-\u001f\u007f]/.test(piece) ? named(CONTROLS[piece]) : text(piece),
  )
}

/** Several lines at once and no other control key: from a terminal that does not mark its pastes. They are not sent one by one. */
const UNMARKED_PASTE = /^(?=[\s\S]*[\r\n][^\r\n])[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]*$/

/** `ESC [ 25 ~` and its like, of which ink has cut the ESC: keys that it has no name for. */
const UNKNOWN_SEQUENCE = /^\[[\d;]+[~^$A-Za-z]$/

const CONTROLS: Record<string, KeyName> = {
  '\u0001': 'home',
  '\u0002': 'left',
  '\u0003': 'interrupt',
  '\u0004': 'end-of-input',
  '\u0005': 'end',
  '\u0006': 'right',
  '\b': 'backspace',
  '\n': 'newline',
  '\u000b': 'cut-after',
  '\r': 'enter',
  '\u000e': 'down',
  '\u0010': 'up',
  '\u0015': 'cut-before',
  '\u0017': 'erase-word',
  '\u007f': 'backspace',
}

const META: Record<string, KeyName> = { b: 'word-left', f: 'word-right' }

function specialOf(key: InkKey): KeyName | undefined {
  const byWord = key.ctrl || key.meta
  if (key.upArrow) return 'up'
  if (key.downArrow) return 'down'
  if (key.leftArrow) return byWord ? 'word-left' : 'left'
  if (key.rightArrow) return byWord ? 'word-right' : 'right'
  if (key.home) return 'home'
  if (key.end) return 'end'
  if (key.return) return key.meta ? 'newline' : 'enter'
  if (key.escape) return 'escape'
  if (key.backspace) return key.meta ? 'erase-word' : 'backspace'
  if (key.delete) return 'delete'
}

const text = (raw: string): Key[] => {
  const clean = harmless(raw)
  return clean ? [{ name: 'text', text: clean }] : []
}

const named = (name: KeyName | undefined): Key[] => (name ? [{ name }] : [])
