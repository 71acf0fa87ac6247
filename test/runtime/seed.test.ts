import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { listDocuments, putDocument, rankKb, removeKb } from '../../src/contracts/kb.ts'
import { silent } from '../../src/log.ts'
import { seedDocs } from '../../src/runtime/seed.ts'
import { tempFolder } from '../helpers/temp.ts'
import { KEYS, markdownDocument, NODES } from './services/data/kb/documents.ts'
import { hopOf, startData } from './services/data/service.ts'

test('our README and docs become the knowledge base docs, which everybody may search', async () => {
  const { seed, data } = await stand()
  expect(await seed()).toEqual({ documents: 3, changed: 3, removed: 0 })
  const { passages } = await data
    .as('llm')
    .call(rankKb, hopOf('ann'), { body: { query: 'how do I add a node?', limit: 5 } })
  expect(passages[0]).toMatchObject({ kb: 'docs', document: 'docs/guide/nodes.md' })
})

test('a second seed changes nothing; what changed or is gone is brought up to date', async () => {
  const { seed, data, folder } = await stand()
  await seed()
  expect(await seed()).toEqual({ documents: 3, changed: 0, removed: 0 })
  writeFileSync(join(folder, 'docs/keys.md'), `${KEYS}\nOne more sentence.\n`)
  rmSync(join(folder, 'docs/guide'), { recursive: true })
  expect(await seed()).toEqual({ documents: 2, changed: 1, removed: 1 })
  const { documents } = await data
    .as('gateway')
    .call(listDocuments, hopOf('ann'), { params: { kb: 'docs' }, query: {} })
  expect(documents.map(d => d.id)).toEqual(['README.md', 'docs/keys.md'])
})

test('a user may neither change nor remove the knowledge base docs', async () => {
  const { seed, data } = await stand()
  await seed()
  const body = await markdownDocument('x.md', 'x')
  for (const user of ['ann', 'admin', 'system']) {
    const put = data.as('executor').call(putDocument, hopOf(user), { params: { kb: 'docs' }, body })
    await expect(put).rejects.toMatchObject({ status: 403, code: 'not_yours' })
    const gone = data.as('gateway').call(removeKb, hopOf(user), { params: { kb: 'docs' } })
    await expect(gone).rejects.toMatchObject({ status: 403 })
  }
})

test('documentation without a README or without files is no error', async () => {
  const data = await startData()
  const folder = tempFolder()
  const calls = data.as('executor')
  expect(await seedDocs({ calls, log: silent, folder: join(folder, 'docs') })).toMatchObject({ documents: 0 })
})

async function stand() {
  const data = await startData()
  const folder = tempFolder()
  mkdirSync(join(folder, 'docs/guide'), { recursive: true })
  writeFileSync(join(folder, 'README.md'), '# llmagentos\n\nA cluster in one command.\n')
  writeFileSync(join(folder, 'docs/keys.md'), KEYS)
  writeFileSync(join(folder, 'docs/guide/nodes.md'), NODES)
  cpSync(join(folder, 'docs/keys.md'), join(folder, 'docs/ignored.txt'))
  const calls = data.as('executor')
  return { data, folder, seed: () => seedDocs({ calls, log: silent, folder: join(folder, 'docs') }) }
}
