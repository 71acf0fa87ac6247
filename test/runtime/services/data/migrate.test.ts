import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { EXIT } from '../../../../src/errors.ts'
import { silent } from '../../../../src/log.ts'
import { migrate, move } from '../../../../src/runtime/services/data/migrate/index.ts'
import { openEmbedded } from '../../../../src/runtime/services/data/store/embedded.ts'
import type { ObjectStore } from '../../../../src/runtime/services/data/store/store.ts'
import { memoryStore } from '../../../helpers/memory-store.ts'
import { tempFolder } from '../../../helpers/temp.ts'
import { opened } from './objects.ts'
import { startData } from './service.ts'

// The store that is moved to is one in memory, a stand-in for object storage; test/lab/data-s3.test.ts moves into a real Ceph.
async function filled() {
  const folder = tempFolder()
  const store = await openEmbedded(folder)
  const blobs = await Promise.all(
    [0, 10, 3_000_000].map(n => store.putBlob(Readable.from(n > 0 ? [randomBytes(n)] : []))),
  )
  const names = Array.from({ length: 2_500 }, (_, i) => `${'q run x/9 sess kb'.split(' ')[i % 5]}/ann/${i}`)
  await Promise.all(names.map(n => store.create(n, Buffer.from(`record ${n}`), `writer-${n.length}`)))
  return { folder, store, blobs, names }
}

const run = (
  from: Awaited<ReturnType<typeof filled>>,
  to: ObjectStore,
  signal = new AbortController().signal,
) => move({ from: from.store, to, folder: from.folder, signal, say: () => {} })

test('every record and object is in the other store under its name, with its writer, and the old one is closed to services', async () => {
  const from = await filled()
  const to = memoryStore()
  expect(await run(from, to)).toMatchObject({ blobs: 3, records: 2_501 })
  for (const name of from.names) {
    expect(String(await to.get(name))).toBe(`record ${name}`)
    expect(await to.create(name, Buffer.from('x'), 'other')).toEqual({
      created: false,
      writer: `writer-${name.length}`,
    })
  }
  for (const { blob, bytes } of from.blobs)
    expect((await buffer((await to.getBlob(blob))!.body)).length).toBe(bytes)
  await from.store.close()
  await expect(openEmbedded(from.folder)).rejects.toMatchObject({
    exit: EXIT.unsafe,
    message: expect.stringContaining('was moved into Ceph'),
  })
})

test('a move that is cut off anywhere goes on when it is called again', async () => {
  const from = await filled()
  const to = memoryStore()
  let runs = 0
  for (let acts = 300; ; acts += 300, runs++) {
    let left = acts
    const spend = () => {
      if (left-- <= 0) throw new Error('the power went')
    }
    const cut: ObjectStore = {
      ...to,
      create: async (...o) => {
        spend()
        return to.create(...o)
      },
      get: async name => {
        spend()
        return to.get(name)
      },
      putBlob: async (...o) => {
        spend()
        return to.putBlob(...o)
      },
    }
    const end = await run(from, cut).catch(thrown => thrown)
    if (!(end instanceof Error)) break
    expect(end.message).toBe('the power went')
  }
  expect(runs).toBeGreaterThan(3)
  expect(await to.list('q/', { limit: 10_000 })).toHaveLength(500)
  await from.store.close()
  await expect(openEmbedded(from.folder)).rejects.toMatchObject({ exit: EXIT.unsafe })
})

test('what did not arrive as it was is found, and copied anew by the next run', async () => {
  const from = await filled()
  const to = memoryStore()
  const [name] = from.names
  const large = from.blobs[2]!.blob
  const damaging: ObjectStore = {
    ...to,
    create: (n, record, writer) => to.create(n, n === name ? Buffer.from('other') : record, writer),
    putBlob: (body, as) => to.putBlob(as === large ? Readable.from([Buffer.from('other')]) : body, as),
  }
  await expect(run(from, damaging)).rejects.toMatchObject({
    exit: EXIT.partial,
    message: expect.stringContaining(large),
  })
  await expect(run(from, to)).rejects.toMatchObject({
    exit: EXIT.partial,
    message: expect.stringContaining(name!),
  })
  await run(from, to)
  expect(String(await to.get(name!))).toBe(`record ${name}`)
  await from.store.close()
})

test('a store that holds something else is refused and stays as it is', async () => {
  const from = await filled()
  const to = memoryStore()
  await to.create('auth/key/1', Buffer.from('x'), 'w')
  await expect(run(from, to)).rejects.toMatchObject({
    exit: EXIT.unsafe,
    why: expect.stringContaining('auth/key/1'),
  })
  expect(await to.list('q/', { limit: 1 })).toEqual([])
  const another = await filled()
  const taken = memoryStore()
  await run(another, taken)
  await expect(run(from, taken)).rejects.toMatchObject({
    exit: EXIT.unsafe,
    why: 'another store was moved there',
  })
  await Promise.all([from, another].map(f => f.store.close()))
})

test('nothing is moved while a service holds the store; what it stored is read from the new one afterwards', async () => {
  const { put, service } = await opened()
  const content = randomBytes(100_000)
  await put('a', content)
  const from = `${service.folder}/store`
  const to = { embedded: tempFolder() }
  const o = { from, to, log: silent, signal: new AbortController().signal, say: () => {} }
  await expect(migrate(o)).rejects.toMatchObject({ exit: EXIT.locked })
  await service.stop()
  const first = await migrate(o)
  expect(first).toMatchObject({ blobs: 1, bytes: 100_000 })
  expect(await migrate(o)).toMatchObject({ records: first.records, before: expect.any(String) })
  const again = await opened('ann', { store: to })
  expect((await again.get('a')).bytes.equals(content)).toBe(true)
  await expect(startData(service.folder)).rejects.toMatchObject({ exit: EXIT.unsafe })
})

test('a move that is interrupted says so and marks nothing', async () => {
  const from = await filled()
  const stop = new AbortController()
  stop.abort(new Error('interrupted'))
  await expect(run(from, memoryStore(), stop.signal)).rejects.toThrow('interrupted')
  await from.store.close()
  await (await openEmbedded(from.folder)).close()
})
