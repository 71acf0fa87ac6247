import { createHash, randomBytes } from 'node:crypto'
import { PassThrough, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { MAX_RECORD_BYTES, type ObjectStore } from '../../../../../src/runtime/services/data/store/store.ts'

/** What every store must keep; run against each of them. `opened` gives an empty store that is closed when its test ends. */
export function storeContract(name: string, opened: () => Promise<ObjectStore>): void {
  describe(name, () => {
    recordsContract(opened)
    blobsContract(opened)
  })
}

const bytes = (text: string) => Buffer.from(text)
const names = (page: { name: string }[]) => page.map(r => r.name)

function recordsContract(opened: () => Promise<ObjectStore>): void {
  test('a record reads back as it was created, empty and binary ones too', async () => {
    const store = await opened()
    const binary = randomBytes(5000)
    await store.create('q/a', binary, 'w1')
    await store.create('q/empty', Buffer.alloc(0), 'w1')
    expect(await store.get('q/a')).toEqual(binary)
    expect(await store.get('q/empty')).toEqual(Buffer.alloc(0))
    expect(await store.get('q/none')).toBeUndefined()
  })

  test('a second create changes nothing and names the writer of the first', async () => {
    const store = await opened()
    expect(await store.create('q/a', bytes('one'), 'first')).toEqual({ created: true, writer: 'first' })
    expect(await store.create('q/a', bytes('two'), 'second')).toEqual({ created: false, writer: 'first' })
    expect(String(await store.get('q/a'))).toBe('one')
  })

  test('a repeated create of the same writer finds its own', async () => {
    const store = await opened()
    await store.create('q/a', bytes('one'), 'same')
    expect(await store.create('q/a', bytes('one'), 'same')).toEqual({ created: false, writer: 'same' })
  })

  test('of 20 racing writers exactly one creates, and all are told which', async () => {
    const store = await opened()
    for (let round = 0; round < 10; round++) {
      const race = Array.from({ length: 20 }, (_, i) => store.create(`q/${round}`, bytes(`by ${i}`), `w${i}`))
      const ends = await Promise.all(race)
      const winner = ends.findIndex(e => e.created)
      expect(ends.filter(e => e.created)).toHaveLength(1)
      expect(new Set(ends.map(e => e.writer))).toEqual(new Set([`w${winner}`]))
      expect(String(await store.get(`q/${round}`))).toBe(`by ${winner}`)
    }
  })

  test('a list is in byte order, within its prefix, after its mark and no longer than its limit', async () => {
    const store = await opened()
    const all = ['q/a', 'q/A', 'q/a/1', 'q/a!', 'q/a~', 'q/b', 'q/', 'q', 'q0', 'r/a', 'p/z', 'q/~~']
    for (const name of all) await store.create(name, bytes(name), 'w')
    const wanted = ['q/', 'q/A', 'q/a', 'q/a!', 'q/a/1', 'q/a~', 'q/b', 'q/~~']
    expect(names(await store.list('q/', { limit: 100 }))).toEqual(wanted)
    expect(names(await store.list('q/', { limit: 3 }))).toEqual(wanted.slice(0, 3))
    expect(names(await store.list('q/', { after: 'q/a', limit: 2 }))).toEqual(['q/a!', 'q/a/1'])
    expect(names(await store.list('q/', { after: 'q/a#', limit: 1 }))).toEqual(['q/a/1'])
    expect(names(await store.list('q/', { after: 'a', limit: 1 }))).toEqual(['q/'])
    expect(await store.list('q/', { after: 'q/~~', limit: 5 })).toEqual([])
    expect(await store.list('q/', { after: 'z', limit: 5 })).toEqual([])
    expect(await store.list('q/a~', { limit: 5, values: true })).toEqual([
      { name: 'q/a~', value: bytes('q/a~') },
    ])
  })

  test('of values a list gives the beginnings where that is asked, also of empty ones', async () => {
    const store = await opened()
    await store.create('q/a', bytes('a long one'), 'w')
    await store.create('q/b', Buffer.alloc(0), 'w')
    await store.create('q/c', bytes('abc'), 'w')
    const page = await store.list('q/', { limit: 5, values: true, most: 6 })
    expect(page.map(r => [r.name, String(r.value)])).toEqual([
      ['q/a', 'a long'],
      ['q/b', ''],
      ['q/c', 'abc'],
    ])
  })

  test('a store that is far gives a record with its mark, which goes with the record', async () => {
    const store = await opened()
    const { far } = store
    // A store that is near has no marks: nobody there needs them.
    if (!far) return expect(store.far).toBeUndefined()
    await store.create('q/a', bytes('text'), 'w')
    expect(await far.read('q/a')).toEqual({ record: bytes('text'), mark: 0 })
    for (const mark of [1, 2, 1] as const) {
      expect(await far.mark('q/a', mark)).toBe(true)
      expect(await far.read('q/a', 2)).toEqual({ record: bytes('te'), mark })
    }
    expect(await store.create('q/a', bytes('other'), 'v')).toEqual({ created: false, writer: 'w' })
    expect(await far.mark('q/none', 1)).toBe(false)
    expect(await far.read('q/none')).toBeUndefined()
    await store.delete('q/a')
    await store.create('q/a', bytes('again'), 'w')
    expect(await far.read('q/a')).toEqual({ record: bytes('again'), mark: 0 })
  })

  test('paging while others write gives every record that was there before, once, in order', async () => {
    const store = await opened()
    const before = Array.from({ length: 300 }, (_, i) => `q/${String(i * 10).padStart(5, '0')}`)
    await Promise.all(before.map(n => store.create(n, bytes(n), 'w')))
    const seen: string[] = []
    for (let after: string | undefined, i = 0; ; i++) {
      const page = names(await store.list('q/', { after, limit: 7 }))
      if (page.length === 0) break
      seen.push(...page)
      after = page.at(-1)
      await Promise.all(
        [3, 4].map(d => store.create(`q/${String(i * 37 + d).padStart(5, '0')}x`, bytes('new'), 'w')),
      )
    }
    expect(seen).toEqual(seen.toSorted())
    expect(new Set(seen).size).toBe(seen.length)
    expect(seen).toEqual(expect.arrayContaining(before))
  })

  test('a record holds 8 MiB and not a byte more', async () => {
    const store = await opened()
    const most = randomBytes(MAX_RECORD_BYTES)
    await store.create('q/most', most, 'w')
    expect((await store.get('q/most'))?.equals(most)).toBe(true)
    const more = store.create('q/more', Buffer.alloc(MAX_RECORD_BYTES + 1), 'w')
    await expect(more).rejects.toMatchObject({ status: 413 })
    expect(await store.get('q/more')).toBeUndefined()
  })

  test('a name that is not printable ASCII or too long is refused', async () => {
    const store = await opened()
    for (const name of ['', 'q/ä', 'q/ x', 'q/\n', `q/${'x'.repeat(900)}`])
      await expect(store.create(name, bytes('x'), 'w')).rejects.toMatchObject({ status: 400 })
  })

  test('a deleted record is gone and may be created again; deleting nothing is no error', async () => {
    const store = await opened()
    await store.create('q/a', bytes('one'), 'w')
    await store.delete('q/a')
    await store.delete('q/a')
    expect(await store.get('q/a')).toBeUndefined()
    expect(await store.list('q/', { limit: 5 })).toEqual([])
    expect((await store.create('q/a', bytes('two'), 'v')).created).toBe(true)
  })
}

function blobsContract(opened: () => Promise<ObjectStore>): void {
  test('a blob reads back whole and by range, with its size and digest', async () => {
    const store = await opened()
    const content = randomBytes(300_000)
    const put = await store.putBlob(Readable.from([content.subarray(0, 7), content.subarray(7)]))
    expect(put).toMatchObject({
      bytes: content.length,
      sha256: createHash('sha256').update(content).digest('hex'),
    })
    const whole = await store.getBlob(put.blob)
    expect(whole?.bytes).toBe(content.length)
    expect((await buffer(whole!.body)).equals(content)).toBe(true)
    for (const [from, to] of [
      [0, 0],
      [10, 99_999],
      [299_999, 299_999],
    ] as const) {
      const part = await store.getBlob(put.blob, { from, to })
      expect(part?.bytes).toBe(content.length)
      expect((await buffer(part!.body)).equals(content.subarray(from, to + 1))).toBe(true)
    }
  })

  test('a blob of no bytes is one', async () => {
    const store = await opened()
    const { blob, bytes } = await store.putBlob(Readable.from([]))
    expect(bytes).toBe(0)
    expect(await buffer((await store.getBlob(blob))!.body)).toHaveLength(0)
  })

  test('the same bytes twice are two blobs, listed in order with their time', async () => {
    const store = await opened()
    const put = [1, 2, 3].map(() => store.putBlob(Readable.from([bytes('same')])))
    const all = (await Promise.all(put)).map(p => p.blob).sort()
    const listed = await store.listBlobs({ limit: 10 })
    expect(listed.map(b => b.blob)).toEqual(all)
    for (const b of listed) expect(Math.abs(Date.now() - b.storedAt)).toBeLessThan(60_000)
    expect((await store.listBlobs({ after: all[0], limit: 1 })).map(b => b.blob)).toEqual([all[1]])
  })

  test('a body that is cut in the middle leaves no blob', async () => {
    const store = await opened()
    const body = new PassThrough()
    body.write(randomBytes(100_000))
    const put = store.putBlob(body)
    setImmediate(() => body.destroy(new Error('cut')))
    await expect(put).rejects.toThrow('cut')
    expect(await store.listBlobs({ limit: 10 })).toEqual([])
  })

  test('a deleted blob is gone; deleting nothing is no error', async () => {
    const store = await opened()
    const { blob } = await store.putBlob(Readable.from([bytes('x')]))
    await store.deleteBlob(blob)
    await store.deleteBlob(blob)
    expect(await store.getBlob(blob)).toBeUndefined()
  })
}
