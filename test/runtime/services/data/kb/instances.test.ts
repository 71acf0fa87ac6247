import { readdirSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { silent } from '../../../../../src/log.ts'
import type { Who } from '../../../../../src/runtime/services/data/kb/catalogue.ts'
import { Knowledge } from '../../../../../src/runtime/services/data/kb/knowledge.ts'
import { purge } from '../../../../../src/runtime/services/data/kb/records.ts'
import type { ObjectStore } from '../../../../../src/runtime/services/data/store/store.ts'
import { memoryStore } from '../../../../helpers/memory-store.ts'
import { tempFolder } from '../../../../helpers/temp.ts'
import { markdownDocument } from './documents.ts'
import { freezable } from './freezable.ts'

// The store is the one in memory: a stand-in for object storage, on which test/lab/data-s3.test.ts runs.
const ann: Who = { user: 'ann', key: 'k', role: 'user', scopes: ['kb:read', 'kb:write'] }

function instance(store: ObjectStore) {
  const folder = tempFolder()
  const knowledge = new Knowledge({ store, folder, log: silent, shared: true })
  onTestFinished(() => knowledge.stop())
  const shelf = async () => knowledge.shelf(await knowledge.catalogue.open(ann, 'notes', {}))
  return {
    folder,
    knowledge,
    shelf,
    put: async (id: string, text: string) => (await shelf()).put(await markdownDocument(id, text)),
    remove: async (id: string) => (await shelf()).remove(id),
    async found(query: string) {
      const shelves = await knowledge.chosen(ann, ['notes'])
      const { passages } = await knowledge.rank({ shelves, query, limit: 5, vectors: {} })
      return passages.map(p => p.document)
    },
    documents: async () => (await (await shelf()).info()).documents,
  }
}

test('what one instance stores, replaces and removes, the others find so at once', async () => {
  const store = memoryStore()
  const [a, b] = [instance(store), instance(store)]
  await a.put('one.md', '# One\n\nrosemary grows')
  expect(await b.found('rosemary')).toEqual(['one.md'])
  await b.put('one.md', '# One\n\nthyme grows')
  expect(await a.found('rosemary')).toEqual([])
  expect(await a.found('thyme')).toEqual(['one.md'])
  await a.put('two.md', '# Two\n\nsage')
  expect(await b.documents()).toBe(2)
  await a.remove('one.md')
  expect(await b.found('thyme')).toEqual([])
  expect(await b.documents()).toBe(1)
})

test('two instances that write one document at once end with the one that the store has', async () => {
  const store = memoryStore()
  const [a, b, late] = [instance(store), instance(store), instance(store)]
  await a.put('d.md', '# D\n\nbeginning')
  expect(await b.found('beginning')).toEqual(['d.md'])
  for (let round = 0; round < 10; round++) {
    await Promise.all([a.put('d.md', `# D\n\nalpha${round}`), b.put('d.md', `# D\n\nbravo${round}`)])
    const each = await Promise.all(
      [a, b, late].map(i => Promise.all([i.found(`alpha${round}`), i.found(`bravo${round}`)])),
    )
    expect(each[0]!.flat()).toEqual(['d.md'])
    expect(each[1]).toEqual(each[0])
    expect(each[2]).toEqual(each[0])
    expect(await b.documents()).toBe(1)
  }
})

test('an instance that removes a document takes nothing that another put there since', async () => {
  const store = memoryStore()
  const frozen = freezable(store)
  const [a, b] = [instance(frozen.store), instance(store)]
  await a.put('d.md', '# D\n\nold words')
  const stopped = frozen.stopAt('delete', name => name.includes('/doc/'))
  const removed = a.remove('d.md')
  await stopped.reached
  await b.put('d.md', '# D\n\nrosemary')
  stopped.goOn()
  await removed
  expect(await b.found('rosemary')).toEqual(['d.md'])
  expect(await a.found('rosemary')).toEqual(['d.md'])
  expect(await instance(store).found('rosemary')).toEqual(['d.md'])
})

test('an instance that was frozen in the middle of a write agrees with the others when it goes on', async () => {
  const store = memoryStore()
  const frozen = freezable(store)
  const [a, b] = [instance(frozen.store), instance(store)]
  await a.put('d.md', '# D\n\nbeginning')
  await b.found('beginning')
  for (const at of ['/doc/', '/content/', '/changes/']) {
    const stopped = frozen.stopAt('create', name => name.includes(at))
    const slow = a.put('d.md', `# D\n\nalpha ${at}`)
    await stopped.reached
    await b.put('d.md', `# D\n\nbravo ${at}`)
    stopped.goOn()
    await slow
    const [byA, byB] = [await a.found('alpha bravo'), await b.found('alpha bravo')]
    expect([byA, byB]).toEqual([['d.md'], ['d.md']])
    const of = async (i: typeof a) => (await i.found('alpha')).length
    expect(await of(a)).toBe(await of(b))
    expect(await of(instance(store))).toBe(await of(a))
  }
})

test('a name that others took, gave up and took again meanwhile is theirs to whoever was frozen', async () => {
  const store = memoryStore()
  const frozen = freezable(store)
  const [a, b] = [instance(frozen.store), instance(store)]
  const stopped = frozen.stopAt('create', name => name.startsWith('kb/names/'))
  const opened = a.shelf()
  await stopped.reached
  await b.put('d.md', '# D\n\nfirst')
  await b.knowledge.remove((await b.shelf()).kb)
  await b.put('d.md', '# D\n\nsecond')
  stopped.goOn()
  expect((await opened).kb.id).toBe((await b.shelf()).kb.id)
  await a.put('e.md', '# E\n\nthird')
  expect(await b.found('third')).toEqual(['e.md'])
})

test('whoever is too far behind to be told each change compares everything', async () => {
  const store = memoryStore()
  const [a, b] = [instance(store), instance(store)]
  await a.put('one.md', '# One\n\nrosemary')
  expect(await b.found('rosemary')).toEqual(['one.md'])
  await a.put('two.md', '# Two\n\nsage')
  await a.remove('one.md')
  const { kb } = await a.shelf()
  await purge(store, `kb/${kb.id}/changes/`)
  expect(await b.found('sage')).toEqual(['two.md'])
  expect(await b.found('rosemary')).toEqual([])
  expect(await b.documents()).toBe(1)
})

test('a write that failed after it was stored is found where it failed, too', async () => {
  const store = memoryStore()
  const [a, b] = [instance({ ...store, create: failingAt('/changes/') }), instance(store)]
  await b.put('one.md', '# One\n\nsage')
  expect(await a.found('sage')).toEqual(['one.md'])
  await expect(a.put('one.md', '# One\n\nrosemary')).rejects.toThrow('the store went away')
  expect(await a.found('rosemary')).toEqual(['one.md'])
  await b.put('one.md', '# One\n\nrosemary')
  expect(await b.found('rosemary')).toEqual(['one.md'])

  function failingAt(part: string): ObjectStore['create'] {
    return async (name, record, writer) => {
      if (name.includes(part)) throw new Error('the store went away')
      return store.create(name, record, writer)
    }
  }
})

test('hundreds of documents from three instances are found by each', async () => {
  const store = memoryStore()
  const all = [instance(store), instance(store), instance(store)]
  await Promise.all(
    Array.from({ length: 120 }, (_, i) => all[i % 3]!.put(`${i}.md`, `# Number ${i}\n\nword${i} herbs`)),
  )
  for (const i of all) {
    expect(await i.documents()).toBe(120)
    for (const n of [0, 1, 2, 59, 119]) expect(await i.found(`word${n}`)).toEqual([`${n}.md`])
  }
})

test('the index of what another instance removed goes, and of what stays it does not', async () => {
  const store = memoryStore()
  const [a, b] = [instance(store), instance(store)]
  await a.put('one.md', '# One\n\nrosemary')
  const { kb: gone } = await b.shelf()
  expect(await b.found('rosemary')).toEqual(['one.md'])
  await b.knowledge.dropRemoved()
  expect(readdirSync(b.folder)).toEqual([gone.id])
  await a.knowledge.remove(gone)
  await a.put('two.md', '# Two\n\nsage')
  expect(await b.found('sage')).toEqual(['two.md'])
  await b.knowledge.dropRemoved()
  expect(readdirSync(b.folder)).toEqual([(await a.shelf()).kb.id])
  expect(await b.found('sage')).toEqual(['two.md'])
})
