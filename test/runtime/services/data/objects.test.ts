import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { listObjects, putObject } from '../../../../src/contracts/objects.ts'
import { digest, opened } from './objects.ts'
import { hopOf } from './service.ts'

test('an object reads back as it was stored, with its type, size and digest', async () => {
  const { put, get } = await opened()
  const content = randomBytes(200_000)
  const info = await put(
    'notes/today.bin',
    content,
    { sha256: digest(content) },
    { 'content-type': 'image/png' },
  )
  expect(info).toMatchObject({ name: 'notes/today.bin', version: 1, bytes: 200_000, type: 'image/png' })
  const got = await get('notes/today.bin')
  expect(got.status).toBe(200)
  expect(got.headers).toMatchObject({
    'content-type': 'image/png',
    'content-length': '200000',
    etag: `"${digest(content)}"`,
    'x-content-type-options': 'nosniff',
  })
  expect(got.bytes.equals(content)).toBe(true)
})

test('an object of no bytes and a JSON object are stored as they are', async () => {
  const { put, get } = await opened()
  await put('empty', Buffer.alloc(0))
  await put('a.json', Buffer.from(' {"not": parsed'), {}, { 'content-type': 'application/json' })
  expect(await get('empty')).toMatchObject({ status: 200, bytes: Buffer.alloc(0) })
  expect(String((await get('a.json')).bytes)).toBe(' {"not": parsed')
})

test('an existing name is refused without replace, and nothing of the second body stays', async () => {
  const { put, get, files } = await opened()
  await put('a', Buffer.from('one'))
  await expect(put('a', randomBytes(3_000_000))).rejects.toMatchObject({
    status: 409,
    code: 'exists',
    next: /--replace/,
  })
  expect(String((await get('a')).bytes)).toBe('one')
  expect(files()).toHaveLength(1)
})

test('replace writes the next version; earlier ones stay readable', async () => {
  const { put, get } = await opened()
  await put('a', Buffer.from('one'))
  expect(await put('a', Buffer.from('two'), { replace: true })).toMatchObject({ version: 2 })
  expect(String((await get('a')).bytes)).toBe('two')
  expect(String((await get('a', { version: 1 })).bytes)).toBe('one')
  expect((await get('a', { version: 3 })).status).toBe(404)
})

test('of parallel first writers one wins; parallel replaces all get versions of their own', async () => {
  const { put, list, files } = await opened()
  const race = await Promise.allSettled(Array.from({ length: 10 }, (_, i) => put('a', Buffer.from(`${i}`))))
  expect(race.filter(r => r.status === 'fulfilled')).toHaveLength(1)
  for (const r of race) if (r.status === 'rejected') expect(r.reason).toMatchObject({ status: 409 })
  const versions = await Promise.all(
    Array.from({ length: 10 }, (_, i) => put('a', Buffer.from(`again ${i}`), { replace: true })),
  )
  expect(versions.map(v => v.version).sort((a, b) => a - b)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
  expect((await list()).objects).toMatchObject([{ name: 'a', version: 11 }])
  expect(files()).toHaveLength(11)
})

test('a digest that does not fit is refused and leaves nothing', async () => {
  const { put, get, files } = await opened()
  await expect(put('a', Buffer.from('x'), { sha256: digest(Buffer.from('y')) })).rejects.toMatchObject({
    status: 422,
  })
  expect((await get('a')).status).toBe(404)
  expect(files()).toEqual([])
})

test('a body that is cut in the middle stores nothing', async () => {
  const { put, get, files } = await opened()
  for (const headers of [{}, { 'content-length': '5000000' }]) {
    const body = new PassThrough()
    body.write(randomBytes(1_000_000))
    const sent = put('a', body, {}, headers)
    // Refused by the client itself, which broke its body off.
    sent.catch(() => {})
    await expect.poll(() => files().length).toBe(1)
    body.destroy(new Error('cut'))
    await expect(sent).rejects.toThrow()
    await expect.poll(files).toEqual([])
    expect((await get('a')).status).toBe(404)
  }
})

test('an upload that is not done by its deadline is refused as late and stores nothing', async () => {
  const { service, files } = await opened()
  const body = new PassThrough()
  body.write(randomBytes(100_000))
  const { signal: _, ...late } = hopOf('ann', 400)
  // The caller's own clock stands still, so that the answer is the service's.
  const hop = { ...late, signal: new AbortController().signal }
  const sent = service.as('gateway').raw(putObject, hop, { params: { '*': 'a' }, upload: body })
  const reply = await sent
  expect([reply.status, await reply.body.text()]).toEqual([504, expect.stringContaining('deadline')])
  body.destroy()
  await expect.poll(files).toEqual([])
})

test('ranges are served as HTTP says', async () => {
  const { put, get } = await opened()
  const content = randomBytes(1000)
  await put('a', content)
  await put('empty', Buffer.alloc(0))
  for (const [range, from, to] of [
    ['bytes=0-0', 0, 0],
    ['bytes=10-19', 10, 19],
    ['bytes=990-', 990, 999],
    ['bytes=-5', 995, 999],
    ['bytes=-5000', 0, 999],
    ['bytes=900-5000', 900, 999],
  ] as const) {
    const got = await get('a', { range })
    expect([range, got.status, got.headers['content-range']]).toEqual([
      range,
      206,
      `bytes ${from}-${to}/1000`,
    ])
    expect(got.bytes.equals(content.subarray(from, to + 1))).toBe(true)
  }
  for (const range of ['bytes=1000-', 'bytes=5000-6000', 'bytes=-0']) {
    const got = await get('a', { range })
    expect([range, got.status, got.headers['content-range']]).toEqual([range, 416, 'bytes */1000'])
  }
  expect((await get('empty', { range: 'bytes=0-0' })).status).toBe(416)
  for (const range of ['bytes=5-2', 'bytes=0-1,5-6', 'lines=1-2', 'bytes=-', 'nonsense'])
    expect([range, (await get('a', { range })).status]).toEqual([range, 200])
})

test('removing takes every version and its bytes; the name is free again', async () => {
  const { put, get, list, rm, files } = await opened()
  for (let v = 0; v < 3; v++) await put('a', Buffer.from(`${v}`), { replace: true })
  await put('a/b', Buffer.from('other'))
  expect(await rm('a')).toEqual({ removed: 'a', versions: 3 })
  expect((await get('a')).status).toBe(404)
  expect((await list()).objects.map(o => o.name)).toEqual(['a/b'])
  expect(files()).toHaveLength(1)
  await expect(rm('a')).rejects.toMatchObject({ status: 404 })
  expect(await put('a', Buffer.from('new'))).toMatchObject({ version: 1 })
})

test('nobody sees or touches the objects of another user', async () => {
  const { put, get, client } = await opened('ann')
  await put('secret', Buffer.from('mine'))
  for (const other of ['an', 'ann-', 'bob'].map(client)) {
    expect((await other.get('secret')).status).toBe(404)
    await expect(other.rm('secret')).rejects.toMatchObject({ status: 404 })
    expect((await other.list()).objects).toEqual([])
    expect(await other.put('secret', Buffer.from('theirs'))).toMatchObject({ version: 1 })
  }
  expect(String((await get('secret')).bytes)).toBe('mine')
})

test('a viewer reads and does not write; without a token there is nothing', async () => {
  const { client, service } = await opened()
  await expect(client('viewer').put('a', Buffer.from('x'))).rejects.toMatchObject({ status: 403 })
  expect((await client('viewer').list()).objects).toEqual([])
  await expect(service.as('gateway').call(listObjects, hopOf(), {})).rejects.toMatchObject({ status: 401 })
})

test('an upload of 200 MiB passes through without being held in memory', async () => {
  const { put, get } = await opened()
  const piece = randomBytes(1024 * 1024)
  const hash = createHash('sha256')
  const body = Readable.from(
    (function* () {
      for (let i = 0; i < 200; i++) {
        hash.update(piece)
        yield piece
      }
    })(),
    { highWaterMark: 1 },
  )
  const before = process.memoryUsage.rss()
  const info = await put('large', body)
  const grown = process.memoryUsage.rss() - before
  expect(info).toMatchObject({ bytes: 200 * 1024 * 1024, sha256: hash.digest('hex') })
  expect(grown).toBeLessThan(100 * 1024 * 1024)
  expect((await get('large', { range: 'bytes=-1' })).bytes[0]).toBe(piece.at(-1))
})

test('an object that was altered in the store does not arrive whole', async () => {
  const { put, get, files, service } = await opened()
  const content = randomBytes(500_000)
  await put('a', content)
  const file = join(service.folder, 'store', 'blobs', files()[0]!)
  const altered = readFileSync(file)
  altered[250_000]! ^= 1
  writeFileSync(file, altered)
  await expect(get('a')).rejects.toThrow()
})
