import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { opened } from './objects.ts'

const key = (text: string) => ({ 'idempotency-key': text })

test('an object that is sent again under its key is stored once, and answered as the first time', async () => {
  const { put, get, files } = await opened()
  const content = randomBytes(300_000)
  const first = await put('a', content, {}, key('one'))
  expect(await put('a', content, {}, key('one'))).toEqual(first)
  expect((await get('a')).bytes.equals(content)).toBe(true)
  expect((await get('a', { version: 2 })).status).toBe(404)
  expect(files()).toHaveLength(1)
})

test('so is one that replaces, also after others replaced it', async () => {
  const { put, get, files } = await opened()
  await put('a', Buffer.from('one'))
  const second = await put('a', Buffer.from('two'), { replace: true }, key('two'))
  await put('a', Buffer.from('three'), { replace: true }, key('three'))
  expect(await put('a', Buffer.from('two'), { replace: true }, key('two'))).toEqual(second)
  expect(String((await get('a')).bytes)).toBe('three')
  expect(files()).toHaveLength(3)
})

test('of one request that comes many times at once one version is made', async () => {
  const { put, get, files } = await opened()
  await put('a', Buffer.from('one'))
  const all = await Promise.all(
    Array.from({ length: 12 }, () => put('a', Buffer.from('two'), { replace: true }, key('two'))),
  )
  expect(new Set(all.map(info => info.version))).toEqual(new Set([2]))
  expect((await get('a', { version: 3 })).status).toBe(404)
  expect(files()).toHaveLength(2)
})

test('a new name that was sent twice, and replaced by somebody in between, was stored', async () => {
  const { put } = await opened()
  const first = await put('a', Buffer.from('one'), {}, key('one'))
  await put('a', Buffer.from('two'), { replace: true })
  expect(await put('a', Buffer.from('one'), {}, key('one'))).toEqual(first)
})

test('a taken name stays taken for another key, and for none', async () => {
  const { put, files } = await opened()
  await put('a', Buffer.from('one'), {}, key('one'))
  await expect(put('a', Buffer.from('one'), {}, key('two'))).rejects.toMatchObject({
    status: 409,
    code: 'exists',
  })
  await expect(put('a', Buffer.from('one'))).rejects.toMatchObject({ status: 409, code: 'exists' })
  expect(files()).toHaveLength(1)
})

test('a key that was used for other content is refused, and what was stored stays', async () => {
  const { put, get, files } = await opened()
  await put('a', Buffer.from('one'), {}, key('one'))
  await expect(put('a', Buffer.from('two'), {}, key('one'))).rejects.toMatchObject({
    status: 409,
    code: 'idempotency',
  })
  expect(String((await get('a')).bytes)).toBe('one')
  expect(files()).toHaveLength(1)
})

test('a key that is too long is refused', async () => {
  const { put } = await opened()
  await expect(put('a', Buffer.from('one'), {}, key('x'.repeat(201)))).rejects.toMatchObject({ status: 400 })
})
