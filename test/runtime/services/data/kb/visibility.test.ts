import { expect, test } from 'vitest'
import {
  listDocuments,
  listKbs,
  putDocument,
  rankKb,
  removeDocument,
  removeKb,
} from '../../../../../src/contracts/kb.ts'
import { hopOf, startData } from '../service.ts'
import { markdownDocument } from './documents.ts'

test('a private knowledge base is for its owner alone', async () => {
  const { put, search, list, kbs } = await stand()
  await put('ann', 'notes', 'a.md', 'the secret is lavender')
  expect((await search('ann', 'lavender')).passages).toHaveLength(1)
  expect((await search('bob', 'lavender')).passages).toEqual([])
  expect(await kbs('bob')).toEqual([])
  const theirs = { status: 404, code: 'not_found' }
  await expect(search('bob', 'lavender', ['notes'])).rejects.toMatchObject(theirs)
  await expect(list('bob', 'notes')).rejects.toMatchObject(theirs)
  await expect(search('bob', 'x', ['never-made'])).rejects.toMatchObject(theirs)
})

test('private knowledge bases of one name do not meet', async () => {
  const { put, search, kbs } = await stand()
  await Promise.all([
    put('ann', 'notes', 'a.md', 'ann likes lavender'),
    put('bob', 'notes', 'a.md', 'bob likes lavender'),
  ])
  for (const user of ['ann', 'bob']) {
    const { passages } = await search(user, 'lavender', ['notes'])
    expect(passages.map(p => p.text)).toEqual([`${user} likes lavender`])
    expect(await kbs(user)).toMatchObject([{ name: 'notes', owner: user, shared: false, documents: 1 }])
  }
})

test('making a shared one needs kb:share; then everybody reads it and its owner writes it', async () => {
  const { put, search, list, data } = await stand()
  await expect(put('ann', 'handbook', 'a.md', 'x', { shared: true })).rejects.toMatchObject({
    status: 403,
    code: 'scope',
  })
  await put('operator', 'handbook', 'a.md', 'lavender for all', { shared: true })
  await put('operator', 'handbook', 'b.md', 'more lavender')
  expect((await list('viewer', 'handbook')).documents.map(d => d.id)).toEqual(['a.md', 'b.md'])
  expect((await search('bob', 'lavender')).passages).toHaveLength(2)
  await expect(put('ann', 'handbook', 'a.md', 'mine')).rejects.toMatchObject({
    status: 403,
    message: 'The knowledge base handbook belongs to operator: you may read it, not change it.',
  })
  const params = { kb: 'handbook', '*': 'a.md' }
  await expect(data.as('gateway').call(removeDocument, hopOf('ann'), { params })).rejects.toMatchObject({
    status: 403,
  })
  await data.as('gateway').call(removeDocument, hopOf('admin'), { params })
})

test('one’s own comes before a shared one of the same name', async () => {
  const { put, search } = await stand()
  await put('ann', 'guide', 'a.md', 'lavender of ann')
  await put('operator', 'guide', 'a.md', 'lavender for all', { shared: true })
  expect((await search('ann', 'lavender')).passages.map(p => p.text)).toEqual(['lavender of ann'])
  expect((await search('bob', 'lavender')).passages.map(p => p.text)).toEqual(['lavender for all'])
})

test('a private one does not become shared by a flag', async () => {
  const { put } = await stand()
  await put('operator', 'notes', 'a.md', 'x')
  await expect(put('operator', 'notes', 'b.md', 'y', { shared: true })).rejects.toMatchObject({
    status: 409,
    code: 'private',
  })
})

test('a service that acts for a user may no more than the user', async () => {
  const { put } = await stand()
  await expect(put('viewer', 'notes', 'a.md', 'x')).rejects.toMatchObject({ status: 403, code: 'scope' })
})

test('twenty documents at once into a knowledge base that is not there yet make one', async () => {
  const { put, kbs } = await stand()
  await Promise.all(Array.from({ length: 20 }, (_, i) => put('ann', 'notes', `${i}.md`, `text ${i}`)))
  expect(await kbs('ann')).toMatchObject([{ documents: 20, chunks: 20 }])
})

test('documents are listed in pages, whatever their names', async () => {
  const { put, list } = await stand()
  const ids = [
    'a b.md',
    'a/b.md',
    'ä/漢字.md',
    `${'long/'.repeat(90)}x.md`,
    `${'long/'.repeat(90)}y.md`,
    '~.md',
    '%41.md',
  ]
  for (const id of ids) await put('ann', 'notes', id, `text of ${id}`)
  const seen: string[] = []
  let after: string | undefined
  do {
    const page = await list('ann', 'notes', { after, limit: 2 })
    seen.push(...page.documents.map(d => d.id))
    after = page.next
  } while (after)
  expect(seen.toSorted()).toEqual(ids.toSorted())
})

test('a removed knowledge base is gone with all it held, and its name is free', async () => {
  const { put, search, kbs, data } = await stand()
  await put('ann', 'notes', 'a.md', 'lavender')
  const remove = () => data.as('gateway').call(removeKb, hopOf('ann'), { params: { kb: 'notes' } })
  expect(await remove()).toEqual({ removed: 'notes', documents: 1 })
  await expect(remove()).rejects.toMatchObject({ status: 404 })
  expect(await kbs('ann')).toEqual([])
  await put('ann', 'notes', 'b.md', 'rosemary')
  expect((await search('ann', 'lavender rosemary')).passages.map(p => p.text)).toEqual(['rosemary'])
})

test.each([
  ['a control character in its id', { id: 'a\nb' }, 400],
  ['half a character in its id', { id: 'a\ud83d' }, 400],
  ['a vector and no model', { chunks: [{ text: 'x', position: {}, vector: [1] }] }, 400],
  ['a model and no vector', { embedding: { model: 'm', digest: 'd', dims: 2 } }, 400],
  ['a chunk beyond all measure', { chunks: [{ text: 'x'.repeat(2_000_000), position: {} }] }, 413],
])('a document with %s is refused and nothing of it is stored', async (_, wrong, status) => {
  const { data, kbs } = await stand()
  const body = { ...(await markdownDocument('a.md', 'x')), ...wrong }
  const put = data.as('executor').call(putDocument, hopOf('ann'), { params: { kb: 'notes' }, body })
  await expect(put).rejects.toMatchObject({ status })
  expect(await kbs('ann')).toEqual([])
})

async function stand() {
  const data = await startData()
  const gateway = data.as('gateway')
  const executor = data.as('executor')
  return {
    data,
    put: async (user: string, kb: string, id: string, text: string, o: { shared?: boolean } = {}) =>
      executor.call(putDocument, hopOf(user), {
        params: { kb },
        body: { ...(await markdownDocument(id, text)), ...o },
      }),
    search: (user: string, query: string, kb?: string[]) =>
      executor.call(rankKb, hopOf(user), { body: { query, limit: 10, ...(kb && { kb }) } }),
    list: (user: string, kb: string, query: { after?: string; limit?: number } = {}) =>
      gateway.call(listDocuments, hopOf(user), { params: { kb }, query }),
    kbs: async (user: string) => (await gateway.call(listKbs, hopOf(user))).kbs,
  }
}
