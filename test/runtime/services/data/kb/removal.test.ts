import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Principal } from '../../../../../src/contracts/identity.ts'
import { silent } from '../../../../../src/log.ts'
import { Knowledge } from '../../../../../src/runtime/services/data/kb/knowledge.ts'
import { memoryStore } from '../../../../helpers/memory-store.ts'
import { tempFolder } from '../../../../helpers/temp.ts'
import { KEYS, markdownDocument, NODES } from './documents.ts'

const ann: Principal = { user: 'ann', key: 'k', role: 'user', scopes: [] }

test('documents that arrive while their knowledge base is removed leave nothing behind', async () => {
  const store = memoryStore()
  const folder = join(tempFolder(), 'index')
  const knowledge = new Knowledge({ store, folder, log: silent, shared: false })
  const kb = await knowledge.catalogue.open(ann, 'notes', {})
  const shelf = knowledge.shelf(kb)
  await shelf.put(await markdownDocument('nodes.md', NODES))
  const late = await markdownDocument('keys.md', KEYS)
  // One is being stored when the removal begins, one comes when it has begun, one after it.
  const creates = store.create
  let removing: Promise<number> | undefined
  const puts: Promise<unknown>[] = []
  store.create = async (name, ...rest) => {
    if (name.includes('/content/') && !removing) {
      removing = knowledge.remove(kb)
      puts.push(shelf.put({ ...late, id: 'second.md' }))
    }
    await new Promise(setImmediate)
    return creates(name, ...rest)
  }
  puts.push(shelf.put(late))
  await Promise.allSettled(puts)
  await removing
  await expect(shelf.put({ ...late, id: 'third.md' })).rejects.toMatchObject({ status: 404 })
  await expect(shelf.byWords('node', 5)).rejects.toMatchObject({ status: 404 })
  expect((await store.list(`kb/${kb.id}/`, { limit: 10 })).map(r => r.name)).toEqual([])
  expect(existsSync(join(folder, kb.id))).toBe(false)
  await knowledge.stop()
})
