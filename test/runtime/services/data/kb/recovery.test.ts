import { cpSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { silent } from '../../../../../src/log.ts'
import { Knowledge } from '../../../../../src/runtime/services/data/kb/knowledge.ts'
import type { ObjectStore } from '../../../../../src/runtime/services/data/store/store.ts'
import { memoryStore } from '../../../../helpers/memory-store.ts'
import { tempFolder } from '../../../../helpers/temp.ts'
import { KEYS, markdownDocument, NODES } from './documents.ts'

test('an index that is gone is built anew from the store', async () => {
  const { folder, reopen, knowledge } = await filled()
  await knowledge.stop()
  rmSync(folder, { recursive: true })
  expect(await found(await reopen(), 'add a node')).toBe('nodes.md')
})

test('an index that lost files under the running service is built anew', async () => {
  const { folder, knowledge } = await filled()
  expect(await found(knowledge, 'add a node')).toBe('nodes.md')
  rmSync(folder, { recursive: true })
  expect(await found(knowledge, 'create key')).toBe('keys.md')
  expect(knowledge.notes()).toEqual([])
})

test('an index whose files hold rubbish is built anew', async () => {
  const { folder, reopen, knowledge } = await filled()
  await knowledge.stop()
  let spoilt = 0
  for (const file of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue
    writeFileSync(join(file.parentPath, file.name), 'rubbish')
    spoilt++
  }
  expect(spoilt).toBeGreaterThan(3)
  expect(await found(await reopen(), 'add a node')).toBe('nodes.md')
})

test('what was stored before a crash and is not in the index yet is found after it', async () => {
  const { folder, reopen, knowledge, put } = await filled()
  await knowledge.stop()
  const before = join(tempFolder(), 'index')
  cpSync(folder, before, { recursive: true })
  const again = await reopen()
  await put(again, 'new.md', '# New\n\nrosemary grows')
  await put(again, 'keys.md', '# Keys\n\nthyme replaced it')
  await remove(again, 'nodes.md')
  await again.stop()
  rmSync(folder, { recursive: true })
  cpSync(before, folder, { recursive: true })
  const after = await reopen()
  expect(await found(after, 'rosemary')).toBe('new.md')
  expect(await found(after, 'thyme')).toBe('keys.md')
  expect(await found(after, 'create a key')).not.toBe('nodes.md')
  expect(await found(after, 'cluster.yaml')).toBeUndefined()
})

test('a crash at any write of a put leaves the old document or the new one, never half, and the next start cleans up', async () => {
  for (let crashAt = 1; ; crashAt++) {
    const { store, put, knowledge, reopenOn } = await filled()
    const dying = crashing(store, crashAt)
    const victim = await reopenOn(dying.store)
    const outcome = await put(victim, 'keys.md', '# Keys\n\nthyme replaced it').then(
      () => 'stored',
      () => 'crashed',
    )
    await Promise.allSettled([victim.stop(), knowledge.stop()])
    const after = await reopenOn(store)
    await after.sweep()
    const hits = [await found(after, 'thyme'), await found(after, 'programs prove')]
    expect(hits.filter(Boolean)).toEqual(['keys.md'])
    if (outcome === 'stored' && !dying.crashed()) break
    expect(crashAt).toBeLessThan(50)
  }
})

test('a crash at any delete of a removal is finished at the next start', async () => {
  for (let crashAt = 1; ; crashAt++) {
    const { store, knowledge, reopenOn } = await filled()
    const dying = crashing(store, crashAt)
    const victim = await reopenOn(dying.store)
    const kb = await victim.catalogue.find(ann, 'notes')
    await victim.remove(kb).catch(() => {})
    await Promise.allSettled([victim.stop(), knowledge.stop()])
    const after = await reopenOn(store)
    await after.sweep()
    const left = (await store.list('kb/', { limit: 100 })).map(r => r.name)
    const isThere = await after.catalogue.find(ann, 'notes').then(
      () => true,
      () => false,
    )
    if (isThere) expect(await found(after, 'add a node')).toBe('nodes.md')
    else expect(left.filter(name => !name.startsWith('kb/names/'))).toEqual([])
    if (!dying.crashed()) break
    expect(crashAt).toBeLessThan(50)
  }
})

test('a put while others search never shows half a document', async () => {
  const { knowledge, put } = await filled()
  const text = (word: string) =>
    `# ${word}\n\n${Array.from({ length: 12 }, (_, i) => `## Part ${i}\n\nlavender ${word} ${i}`).join('\n\n')}`
  await put(knowledge, 'big.md', text('one'))
  let running = true
  const seen: string[][] = []
  const searching = (async () => {
    while (running) {
      const shelves = await knowledge.chosen(ann, ['notes'])
      const { passages } = await knowledge.rank({ shelves, query: 'lavender', limit: 50, vectors: {} })
      seen.push(passages.map(p => p.title))
    }
  })()
  for (const word of ['two', 'one', 'two', 'one']) await put(knowledge, 'big.md', text(word))
  running = false
  await searching
  expect(seen.length).toBeGreaterThan(4)
  for (const titles of seen) {
    expect(titles).toHaveLength(12)
    expect(new Set(titles).size).toBe(1)
  }
})

test('an unchanged document writes nothing', async () => {
  const { store, reopenOn, put } = await filled()
  const dying = crashing(store, 1)
  const again = await reopenOn(dying.store)
  expect(await put(again, 'nodes.md', NODES)).toEqual({ chunks: 3, unchanged: true })
  expect(dying.crashed()).toBe(false)
})

const ann = { user: 'ann', key: 'k', role: 'user', scopes: [] } as const as unknown as Parameters<
  Knowledge['chosen']
>[0]

async function filled() {
  const store = memoryStore()
  const folder = join(tempFolder(), 'index')
  const all: Knowledge[] = []
  const reopenOn = async (on: ObjectStore) => {
    const knowledge = new Knowledge({ store: on, folder, log: silent, shared: false })
    all.push(knowledge)
    return knowledge
  }
  const put = async (knowledge: Knowledge, id: string, text: string) => {
    const kb = await knowledge.catalogue.open(ann, 'notes', {})
    return knowledge.shelf(kb).put(await markdownDocument(id, text))
  }
  const knowledge = await reopenOn(store)
  await put(knowledge, 'nodes.md', NODES)
  await put(knowledge, 'keys.md', KEYS)
  return { store, folder, knowledge, put, reopenOn, reopen: () => reopenOn(store) }
}

async function found(knowledge: Knowledge, query: string): Promise<string | undefined> {
  const shelves = await knowledge.chosen(ann, ['notes'])
  const { passages } = await knowledge.rank({ shelves, query, limit: 5, vectors: {} })
  return passages[0]?.document
}

async function remove(knowledge: Knowledge, id: string): Promise<void> {
  await knowledge.shelf(await knowledge.catalogue.find(ann, 'notes')).remove(id)
}

/** A store that stops answering at its n-th write, as a process that was killed. */
function crashing(store: ObjectStore, at: number) {
  let writes = 0
  const guard = () => {
    if (++writes >= at) throw new Error('killed')
  }
  const dying: ObjectStore = {
    ...store,
    create: async (...a) => {
      guard()
      return store.create(...a)
    },
    delete: async (...a) => {
      guard()
      return store.delete(...a)
    },
  }
  return { store: dying, crashed: () => writes >= at }
}
