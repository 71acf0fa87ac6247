import { expect, test } from 'vitest'
import { opened } from './objects.ts'

test('names that a path could misread are refused', async () => {
  const { put, get, rm } = await opened()
  for (const name of [
    '/a',
    'a/',
    'a//b',
    '.',
    '..',
    'a/../b',
    './a',
    'a/.',
    'a\u0000b',
    'a\nb',
    'ä'.repeat(257),
  ]) {
    await expect(put(name, Buffer.from('x')), name).rejects.toMatchObject({ status: 400 })
    expect([name, (await get(name)).status]).toEqual([name, 400])
    await expect(rm(name), name).rejects.toMatchObject({ status: 400 })
  }
})

test('names of any other characters keep their bytes, up to 512 of them', async () => {
  const { put, get, list } = await opened()
  const names = ['a b%2F?c#d', 'ünï/çødé 😀', '~', '!', 'x'.repeat(512), 'ä'.repeat(256), '...', '.hidden']
  for (const name of names) await put(name, Buffer.from(name))
  for (const name of names) expect(String((await get(name)).bytes)).toBe(name)
  const byBytes = names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  expect((await list()).objects.map(o => o.name)).toEqual(byBytes)
})

test('lists page by name, show the newest version, and keep to their prefix', async () => {
  const { put, list } = await opened()
  const names = ['a', 'a/1', 'a!', 'a/10', 'a/2', 'ab', 'b', 'b/1', 'a/1/x', 'á'].toSorted((x, y) =>
    Buffer.compare(Buffer.from(x), Buffer.from(y)),
  )
  for (const name of names)
    for (let v = 0; v < 4; v++) await put(name, Buffer.from(`${v}`), { replace: true })
  for (const prefix of ['', 'a', 'a/', 'a/1', 'b', 'b/', 'c', 'á'])
    for (const limit of [1, 2, 3, 100]) {
      const seen: { name: string; version: number }[] = []
      for (let after: string | undefined; ; ) {
        const page = await list({ prefix, limit, ...(after !== undefined && { after }) })
        expect(page.objects.length).toBeLessThanOrEqual(limit)
        seen.push(...page.objects)
        if (page.next === undefined) break
        after = page.next
      }
      const wanted = names.filter(n => n.startsWith(prefix)).map(name => `${name} 4`)
      expect(
        seen.map(o => `${o.name} ${o.version}`),
        `${prefix} by ${limit}`,
      ).toEqual(wanted)
    }
})
