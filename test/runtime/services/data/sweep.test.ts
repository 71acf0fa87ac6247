import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { sweep } from '../../../../src/runtime/services/data/sweep.ts'
import { memoryStore } from '../../../helpers/memory-store.ts'

test('blobs that no record names are swept once they are old; named and young ones stay', async () => {
  const store = memoryStore()
  const put = async () => (await store.putBlob(Readable.from([Buffer.from('x')]))).blob
  const named = await put()
  await store.create('obj/ann/A/9999999998', Buffer.from(JSON.stringify({ blob: named })), 'w')
  const unnamed = [await put(), await put()]
  expect(await sweep(store, { olderThan: Date.now() - 60_000 })).toBe(0)
  expect(await store.listBlobs({ limit: 10 })).toHaveLength(3)
  expect(await sweep(store, { olderThan: Date.now() + 1 })).toBe(2)
  expect((await store.listBlobs({ limit: 10 })).map(b => b.blob)).toEqual([named])
  for (const blob of unnamed) expect(await store.getBlob(blob)).toBeUndefined()
})

test('a sweep that is stopped removes nothing more', async () => {
  const store = memoryStore()
  await store.putBlob(Readable.from([Buffer.from('x')]))
  expect(await sweep(store, { olderThan: Date.now() + 1, signal: AbortSignal.abort() })).toBe(0)
  expect(await store.listBlobs({ limit: 10 })).toHaveLength(1)
})
