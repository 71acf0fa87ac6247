import { describe, expect, test } from 'vitest'
import { harmless, widthOf, wrapped } from '../../../src/commands/chat/cells.ts'
import { emptyEditor } from '../../../src/commands/chat/editor.ts'
import { inputRows } from '../../../src/commands/chat/input-rows.ts'

describe('wrapping', () => {
  test('breaks between words', () => {
    expect(wrapped('one two three', 8)).toEqual(['one two', 'three'])
    expect(wrapped('one two three', 7)).toEqual(['one two', 'three'])
  })

  test('keeps lines, empty ones and indentation', () => {
    expect(wrapped('a\n\n    b c', 20)).toEqual(['a', '', '    b c'])
  })

  test('breaks a word only where it is longer than a line', () => {
    expect(wrapped('ab 0123456789', 5)).toEqual(['ab', '01234', '56789'])
  })

  test('breaks between wide characters and counts two cells for each', () => {
    expect(wrapped('ab 日本語の文', 6)).toEqual(['ab 日', '本語の', '文'])
    expect(wrapped('日本語', 3)).toEqual(['日', '本', '語'])
  })

  test('keeps the space at the end, for the word that may follow', () => {
    expect(wrapped('one ', 10)).toEqual(['one '])
  })

  test('never makes a line wider than it may be, and loses nothing but spaces', () => {
    const text =
      'A paragraph with 日本語の文章 and 👩‍👩‍👧 emoji, naïve words and averyveryveryverylongone. '.repeat(5)
    for (let columns = 2; columns < 90; columns++) {
      const lines = wrapped(text, columns)
      expect(Math.max(...lines.map(line => widthOf(line.trimEnd())))).toBeLessThanOrEqual(columns)
      expect(lines.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''))
    }
  })
})

test('the width of a text is that of its cells', () => {
  const widths = { abc: 3, '': 0, 日本: 4, é: 1, '👩‍👩‍👧': 2, '🇩🇪': 2, '✔': 1, '✔️': 2, 한: 2, ｆ: 2 }
  for (const [text, width] of Object.entries(widths))
    expect({ text, width: widthOf(text) }).toEqual({ text, width })
})

test('nothing that is shown can move the cursor or change the terminal', () => {
  expect(harmless('a\u001b[2Jb\u0007\tc\r\nd\re\u009b31mf')).toBe('a[2Jb    c\nd\ne31mf')
})

describe('the rows of the input', () => {
  const rows = (text: string, at: number, o = { columns: 6, most: 3 }) =>
    inputRows({ ...emptyEditor, text, at }, o).map(r => [r.cells.join(''), r.cursor])

  test('have a place for the cursor behind the text', () => {
    expect(rows('', 0)).toEqual([['', 0]])
    expect(rows('abc', 3)).toEqual([['abc', 3]])
    expect(rows('abcde', 5)).toEqual([['abcde', 5]])
    expect(rows('abcdef', 6)).toEqual([
      ['abcde', undefined],
      ['f', 1],
    ])
  })

  test('end at a line end and where the screen ends', () => {
    expect(rows('ab\n日本語', 3)).toEqual([
      ['ab', undefined],
      ['日本', 0],
      ['語', undefined],
    ])
    expect(rows('ab\n', 2)).toEqual([
      ['ab', 2],
      ['', undefined],
    ])
  })

  test('are those around the cursor when there are too many', () => {
    expect(rows('1\n2\n3\n4\n5', 4).map(r => r[0])).toEqual(['2', '3', '4'])
    expect(rows('1\n2\n3\n4\n5', 9).map(r => r[0])).toEqual(['3', '4', '5'])
    expect(rows('1\n2\n3\n4\n5', 0).map(r => r[0])).toEqual(['1', '2', '3'])
  })
})
