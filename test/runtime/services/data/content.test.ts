import { randomBytes } from 'node:crypto'
import { PassThrough, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { openContent, smallContent } from '../../../../src/runtime/services/data/objects/content.ts'
import { limited } from '../../../../src/runtime/services/data/upload.ts'
import { memoryStore } from '../../../helpers/memory-store.ts'

const far = memoryStore({ inlineBytes: 4096 })
const signal = new AbortController().signal

test.each([0, 1, 1024, 4095, 4096])('%i bytes lie in the record of a store that is far', async size => {
  const bytes = randomBytes(size)
  const body = limited(Readable.from(size ? [bytes.subarray(0, 1), bytes.subarray(1)] : []), {
    limitBytes: 10_000,
    signal,
  })
  const small = await smallContent(far, body)
  expect(small?.bytes).toBe(size)
  const read = (range?: { from: number; to: number }) =>
    openContent(far, { content: Readable.from(small!.content!) }, range)
  expect(await buffer((await read())!)).toEqual(bytes)
  if (size > 2) {
    const part = await read({ from: 1, to: 2 })
    expect(await buffer(part!)).toEqual(bytes.subarray(1, 3))
  }
})

test.each([4097, 300_000])('%i bytes do not, and none of them is lost', async size => {
  const bytes = randomBytes(size)
  const source = new PassThrough()
  const body = limited(source, { limitBytes: 1_000_000, signal })
  source.write(bytes.subarray(0, 100))
  const asked = smallContent(far, body)
  await sleep(20)
  source.end(bytes.subarray(100))
  expect(await asked).toBeUndefined()
  expect((await buffer(body)).equals(bytes)).toBe(true)
})

test('a body that breaks at its beginning is no content', async () => {
  const source = new PassThrough()
  const body = limited(source, { limitBytes: 10_000, signal })
  source.write('half')
  const asked = smallContent(far, body)
  setTimeout(() => source.destroy(new Error('cut')), 20)
  await expect(asked).rejects.toThrow('cut')
})

test('a store that is near keeps blobs alone', async () => {
  expect(await smallContent(memoryStore(), Readable.from(['x']))).toBeUndefined()
})
