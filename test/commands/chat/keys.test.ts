import { expect, test } from 'vitest'
import { type InkKey, keysOf } from '../../../src/commands/chat/keys.ts'

const NONE: InkKey = {
  upArrow: false,
  downArrow: false,
  leftArrow: false,
  rightArrow: false,
  home: false,
  end: false,
  return: false,
  escape: false,
  ctrl: false,
  tab: false,
  backspace: false,
  delete: false,
  meta: false,
}

/** Short: a key's name, or its text in quotes. */
const read = (input: string, key: Partial<InkKey> = {}, pasting = false) =>
  keysOf(input, { ...NONE, ...key }, pasting).map(k => (k.name === 'text' ? `'${k.text}'` : k.name))

test('text and Enter that come at once are text and then Enter', () => {
  expect(read('hello\r')).toEqual(["'hello'", 'enter'])
  expect(read('/exit\r\u0003')).toEqual(["'/exit'", 'enter', 'interrupt'])
  expect(read('ab\u007f\u0015c')).toEqual(["'ab'", 'backspace', 'cut-before', "'c'"])
})

test('several lines that come at once, unmarked, are text', () => {
  expect(read('one\rtwo\r')).toEqual(["'one\ntwo\n'"])
  expect(read('one\r\ntwo')).toEqual(["'one\ntwo'"])
})

test('within a marked paste everything is text, and controls are nothing', () => {
  expect(read('[200~')).toEqual(['paste-start'])
  expect(read('', { return: true }, true)).toEqual(["'\n'"])
  expect(read('', { tab: true }, true)).toEqual(["'    '"])
  expect(read('c', { ctrl: true }, true)).toEqual([])
  expect(read('a\u0003b\rc', {}, true)).toEqual(["'ab\nc'"])
  expect(read('[201~', {}, true)).toEqual(['paste-end'])
})

test('Alt-Enter and Ctrl-J begin a line, Enter sends', () => {
  expect(read('', { return: true })).toEqual(['enter'])
  expect(read('', { return: true, meta: true })).toEqual(['newline'])
  expect(read('\n')).toEqual(['newline'])
})

test('arrows go by words with Ctrl or Alt', () => {
  expect(read('', { leftArrow: true })).toEqual(['left'])
  expect(read('', { leftArrow: true, ctrl: true })).toEqual(['word-left'])
  expect(read('', { rightArrow: true, meta: true })).toEqual(['word-right'])
  expect(read('b', { meta: true })).toEqual(['word-left'])
})

test('keys that mean nothing here are no text either', () => {
  expect(read('', { tab: true })).toEqual([])
  expect(read('z', { ctrl: true })).toEqual([])
  expect(read('x', { meta: true })).toEqual([])
  expect(read('[25~')).toEqual([])
  expect(read('[')).toEqual(["'['"])
})
