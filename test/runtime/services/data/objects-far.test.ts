import { randomUUID } from 'node:crypto'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { versionKey } from '../../../../src/runtime/services/data/objects/names.ts'
import { ObjectSpace } from '../../../../src/runtime/services/data/objects/space.ts'
import type { ObjectStore } from '../../../../src/runtime/services/data/store/store.ts'
import { memoryStore } from '../../../helpers/memory-store.ts'

const MIB = 1024 * 1024

/** Two instances on one store that is far, and the acts that reach it. */
function setUp() {
  const store = memoryStore({ inlineBytes: MIB })
  const acts: string[] = []
  let before: (act: string, name: string) => Promise<void> | void = () => {}
  const seen = <A extends unknown[], R>(act: string, of: (name: string, ...rest: A) => Promise<R>) => {
    return async (name: string, ...rest: A): Promise<R> => {
      await before(act, name)
      acts.push(act)
      return of(name, ...rest)
    }
  }
  const { far } = store
  const watched: ObjectStore = {
    ...store,
    create: seen('create', store.create),
    get: seen('get', store.get),
    list: seen('list', store.list),
    delete: seen('delete', store.delete),
    far: {
      inlineBytes: MIB,
      read: seen('read', far!.read),
      open: seen('open', far!.open),
      mark: seen('mark', far!.mark),
    },
  }
  const at = (on: ObjectStore) => {
    const space = new ObjectSpace(on, 'ann')
    return {
      space,
      put: (name: string, text: string, replace = false) =>
        space.versions.add(versionOf(name, text), { replace }),
      get: async (name: string) => {
        const found = await space.versions.open(name)
        return found && `${found.version} ${await text(found.content!)}`
      },
      head: async (name: string) => (await space.versions.newest(name))?.version,
      list: async () => (await space.list({ limit: 100 })).objects.map(o => `${o.name} ${o.version}`),
      rm: (name: string) => space.remove(name),
    }
  }
  return {
    store,
    one: at(watched),
    other: at(store),
    acts: () => acts.splice(0),
    /** Called before each act of `one` on the store. */
    before: (act: typeof before) => {
      before = act
    },
  }
}

function versionOf(name: string, text: string) {
  const content = Buffer.from(text)
  return { name, bytes: content.length, sha256: 'x', type: 'text/plain', created: 'now', content: [content] }
}

test('a new object is stored in one trip, and read in one', async () => {
  const { one, acts } = setUp()
  expect(await one.put('a', 'first')).toMatchObject({ version: 1 })
  expect(acts()).toEqual(['create'])
  expect(await one.get('a')).toBe('1 first')
  expect(acts()).toEqual(['open'])
  expect(await one.head('a')).toBe(1)
  expect(acts()).toEqual(['read'])
  await expect(one.put('a', 'second')).rejects.toMatchObject({ status: 409, code: 'exists' })
})

test('what one instance replaced the other reads so at once, however often', async () => {
  const { one, other } = setUp()
  for (let i = 1; i <= 12; i++) {
    const [writer, reader] = i % 2 ? [one, other] : [other, one]
    expect(await writer.put('a', `text ${i}`, true)).toMatchObject({ version: i })
    expect(await reader.get('a')).toBe(`${i} text ${i}`)
    expect(await reader.head('a')).toBe(i)
  }
  expect(await other.list()).toEqual(['a 12'])
})

test('a first version is marked before a second one is there', async () => {
  const { store, one, other, before } = setUp()
  await one.put('a', 'first')
  before(async (act, name) => {
    if (act !== 'create') return
    expect(name).toBe(versionKey('ann', 'a', 2))
    expect((await store.far!.read(versionKey('ann', 'a', 1)))?.mark).toBe(1)
    expect(await other.get('a')).toBe('1 first')
  })
  await one.put('a', 'second', true)
})

test('a removal that is cut off anywhere never brings an older version back, and can be repeated', async () => {
  for (let cut = 0; ; cut++) {
    const { one, other, before } = setUp()
    for (const text of ['one', 'two', 'three']) await one.put('a', text, true)
    let left = cut
    before((act, name) => {
      if ((act === 'delete' || act === 'mark') && left-- === 0) throw new Error(`cut at ${name}`)
    })
    const removed = await one.rm('a').catch(() => undefined)
    const found = await other.get('a')
    expect([undefined, '3 three'], `cut ${cut}`).toContain(found)
    if (removed !== undefined) {
      expect(found).toBeUndefined()
      expect(cut).toBe(4)
      return
    }
    if (cut % 2) {
      expect(await other.rm('a')).toBeGreaterThan(0)
      expect(await other.put('a', 'new')).toMatchObject({ version: 1 })
    }
    // Nothing was removed yet, or whoever writes next ends it.
    const next = cut === 0 ? 4 : 1
    if (cut % 2 === 0)
      expect(await other.put('a', 'new', found !== undefined)).toMatchObject({ version: next })
    expect(await other.get('a')).toBe(`${next} new`)
    expect(await other.list()).toEqual([`a ${next}`])
  }
})

test('a replacement while the object is removed leaves nothing behind, whatever happens first', async () => {
  for (let at = 0; at < 4; at++)
    for (const again of [false, true]) {
      const { store, one, other, before } = setUp()
      await one.put('a', 'one')
      await one.put('a', 'two', true)
      let acts = 0
      before(async () => {
        if (acts++ !== at) return
        await other.rm('a')
        if (again) await other.put('a', 'new')
      })
      await one.put('a', 'late', true)
      expect(acts).toBeGreaterThan(at)
      const found = await other.get('a')
      expect([...(again ? ['1 new'] : [undefined]), '1 late', '2 late'], `${at} ${again}`).toContain(found)
      expect(await other.list()).toEqual(found ? [`a ${found[0]}`] : [])
      if (!found) expect(await store.list('obj/', { limit: 5 })).toEqual([])
    }
})

test('objects of an earlier llmagentos are read, replaced and removed', async () => {
  const { store, one } = setUp()
  const old = async (name: string, version: number, text: string) => {
    const { content, ...head } = versionOf(name, text)
    const record = { ...head, version, content: content[0]!.toString('base64') }
    await store.create(versionKey('ann', name, version), Buffer.from(JSON.stringify(record)), randomUUID())
  }
  await old('once', 1, 'alone')
  await old('twice', 1, 'older')
  await old('twice', 2, 'newer')
  // What a removal that was cut off left: it took the oldest first.
  await old('rest', 3, 'left')
  expect([await one.get('once'), await one.get('twice'), await one.get('rest')]).toEqual([
    '1 alone',
    '2 newer',
    '3 left',
  ])
  expect(await one.list()).toEqual(['once 1', 'rest 3', 'twice 2'])
  expect(await one.put('once', 'next', true)).toMatchObject({ version: 2 })
  expect(await one.get('once')).toBe('2 next')
  expect(await one.put('rest', 'anew', true)).toMatchObject({ version: 1 })
  expect([await one.rm('once'), await one.rm('twice'), await one.rm('rest')]).toEqual([2, 2, 1])
  expect(await store.list('obj/', { limit: 5 })).toEqual([])
})

test('a list reads the beginnings of records alone', async () => {
  const { store, one } = setUp()
  const name = `${'"'.repeat(511)}a`
  await one.put(name, 'x'.repeat(MIB))
  const seen: number[] = []
  const { list } = store
  store.list = async (prefix, o) => {
    const page = await list(prefix, o)
    seen.push(...page.map(r => r.value!.length))
    return page
  }
  const { objects } = await new ObjectSpace(store, 'ann').list({ limit: 10 })
  expect(objects).toMatchObject([{ name, bytes: MIB }])
  expect(Math.max(...seen)).toBe(8192)
})

test('the same request that is sent twice makes one version, also when others replaced it in between', async () => {
  const { one, other } = setUp()
  const sent = (text: string, replace: boolean) =>
    one.space.versions.add(
      { ...versionOf('a', text), created: new Date().toISOString(), sent: text },
      { replace },
    )
  expect(await sent('first', false)).toMatchObject({ version: 1 })
  expect(await sent('first', false)).toMatchObject({ version: 1 })
  expect(await sent('second', true)).toMatchObject({ version: 2 })
  expect(await sent('second', true)).toMatchObject({ version: 2 })
  expect(await sent('first', false)).toMatchObject({ version: 1 })
  await expect(sent('third', false)).rejects.toMatchObject({ code: 'exists' })
  expect(await other.get('a')).toBe('2 second')
})
