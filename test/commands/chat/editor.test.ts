import { describe, expect, test } from 'vitest'
import { cleared, type Editor, edited, emptyEditor, taken } from '../../../src/commands/chat/editor.ts'
import type { KeyName } from '../../../src/commands/chat/keys.ts'

/** A text with its cursor as `|`. */
function at(marked: string, o: Partial<Editor> = {}): Editor {
  return { ...emptyEditor, text: marked.replace('|', ''), at: marked.indexOf('|'), ...o }
}

const show = (e: Editor) => `${e.text.slice(0, e.at)}|${e.text.slice(e.at)}`
const pressed = (e: Editor, ...names: KeyName[]) => names.reduce((s, name) => edited(s, { name }), e)
const typed = (e: Editor, text: string) => edited(e, { name: 'text', text })

describe('typing', () => {
  test('puts text at the cursor', () => {
    expect(show(typed(at('ab|c'), 'XY'))).toBe('abXY|c')
  })

  test('a new line is a character like another', () => {
    expect(show(pressed(at('ab|c'), 'newline'))).toBe('ab\n|c')
  })

  test.each<[KeyName, string, string]>([
    ['backspace', 'ab|c', 'a|c'],
    ['backspace', '|abc', '|abc'],
    ['delete', 'a|bc', 'a|c'],
    ['delete', 'abc|', 'abc|'],
    ['left', 'ab|', 'a|b'],
    ['left', '|ab', '|ab'],
    ['right', '|ab', 'a|b'],
    ['right', 'ab|', 'ab|'],
    ['home', 'ab|c', '|abc'],
    ['end', 'a|bc', 'abc|'],
    ['home', 'one\ntw|o', 'one\n|two'],
    ['end', 'o|ne\ntwo', 'one|\ntwo'],
    ['home', '\n|', '\n|'],
    ['cut-before', 'abc|d', '|d'],
    ['cut-before', 'one\ntw|o', 'one\n|o'],
    ['cut-after', 'a|bcd', 'a|'],
    ['cut-after', 'o|ne\ntwo', 'o|\ntwo'],
    ['erase-word', 'one two |', 'one |'],
    ['erase-word', '|one', '|one'],
    ['word-left', 'one two|', 'one |two'],
    ['word-right', '|one two', 'one| two'],
    ['word-right', 'one| two', 'one two|'],
    ['up', 'one\ntw|o', 'on|e\ntwo'],
    ['up', 'o\ntwo|', 'o|\ntwo'],
    ['down', 'on|e\ntwo', 'one\ntw|o'],
    ['down', 'one|\nt', 'one\nt|'],
    ['interrupt', 'a|b', 'a|b'],
  ])('%s: %s becomes %s', (name, before, then) => {
    expect(show(pressed(at(before), name))).toBe(then)
  })

  test('the cursor steps over what is seen as one character, however it is made', () => {
    for (const one of ['語', 'é', '👩‍👩‍👧', '🇩🇪']) {
      expect(show(pressed(at(`a${one}|`), 'left'))).toBe(`a|${one}`)
      expect(show(pressed(at(`a|${one}b`), 'right'))).toBe(`a${one}|b`)
      expect(show(pressed(at(`a${one}|b`), 'backspace'))).toBe('a|b')
      expect(show(pressed(at(`a|${one}b`), 'delete'))).toBe('a|b')
    }
  })
})

describe('what was typed before', () => {
  const past = ['first', 'second']

  test('comes back from the newest on, and the draft after it', () => {
    const e = at('dra|ft', { past })
    expect(pressed(e, 'up').text).toBe('second')
    expect(pressed(e, 'up', 'up').text).toBe('first')
    expect(pressed(e, 'up', 'up', 'up').text).toBe('first')
    expect(pressed(e, 'up', 'up', 'down').text).toBe('second')
    expect(show(pressed(e, 'up', 'up', 'down', 'down'))).toBe('draft|')
    expect(show(pressed(e, 'down'))).toBe('dra|ft')
  })

  test('is not changed by editing what came back', () => {
    const e = typed(pressed(at('|', { past }), 'up'), '!')
    expect({ text: e.text, past: e.past }).toEqual({ text: 'second!', past })
  })

  test('grows by what is taken, without repeats and empty lines', () => {
    expect(taken(at('third|', { past }))).toMatchObject({ text: '', at: 0, past: [...past, 'third'] })
    expect(taken(at('second|', { past })).past).toEqual(past)
    expect(taken(at('  |', { past })).past).toEqual(past)
  })

  test('does not keep what was cleared', () => {
    expect(cleared(at('no|', { past }))).toEqual({ ...emptyEditor, past })
  })
})
