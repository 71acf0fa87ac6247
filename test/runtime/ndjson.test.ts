import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { jsonLines, Lines } from '../../src/runtime/ndjson.ts'

const bytes = (text: string) => Buffer.from(text)

describe('lines of JSON', () => {
  test('are the same wherever the pieces end, also within a character', () => {
    const sent = [{ type: 'sources', at: 'Zürich' }, { type: 'text', text: '日本 🌍' }, { type: 'end' }]
    const all = bytes(sent.map(l => `${JSON.stringify(l)}\n`).join(''))
    for (let size = 1; size <= all.length; size++) {
      const lines = new Lines()
      const got = []
      for (let at = 0; at < all.length; at += size) got.push(...lines.take(all.subarray(at, at + size)))
      lines.end()
      expect(got).toEqual(sent)
      expect(lines.over).toBe(true)
    }
  })

  test('join texts that came at once, and nothing else', () => {
    const lines = new Lines()
    const piece =
      '{"type":"text","text":"a"}\n{"type":"text","text":"b"}\n{"type":"beat"}\n{"type":"text","text":"c"}\n'
    expect(lines.take(bytes(piece))).toEqual([
      { type: 'text', text: 'ab' },
      { type: 'beat' },
      { type: 'text', text: 'c' },
    ])
    expect(lines.over).toBe(false)
  })

  test('that stop in the middle of one are an error', () => {
    const lines = new Lines()
    lines.take(bytes('{"type":"text","text":"a"}\n{"type":"te'))
    expect(() => lines.end()).toThrow('cut in the middle of a line')
  })

  test('of a body cut it when its reader leaves early, and let it end after the last one', async () => {
    const early = Readable.from([bytes('{"type":"text","text":"a"}\n')])
    for await (const _ of jsonLines(early)) break
    expect(early.destroyed).toBe(true)
    const late = Readable.from([bytes('{"type":"done"}\n'), bytes('\n')])
    const ended = new Promise(resolve => late.once('end', resolve))
    for await (const _ of jsonLines(late)) break
    await ended
  })
})
