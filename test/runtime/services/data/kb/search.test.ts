import { expect, test } from 'vitest'
import { kbTables, putDocument, rankKb } from '../../../../../src/contracts/kb.ts'
import { hopOf, startData } from '../service.ts'
import { KEYS, markdownDocument, NODES, vectorDocument } from './documents.ts'

test('a question finds the passage that answers it, with its source and line', async () => {
  const { search } = await filled()
  const { passages, ranking } = await search('how do I add a node?')
  expect(ranking).toBe('text')
  expect(passages[0]).toMatchObject({
    kb: 'notes',
    document: 'docs/nodes.md',
    title: 'Nodes',
    position: { heading: 'Add a node', line: 7 },
  })
  expect(passages[0]!.text).toContain('llmagentos cluster up')
})

test.each([
  ['nodes', 'docs/nodes.md'],
  ['adding', 'docs/nodes.md'],
  ['KEYS', 'docs/keys.md'],
])('"%s" finds the words of its stem', async (query, document) => {
  const { search } = await filled()
  expect((await search(query)).passages[0]?.document).toBe(document)
})

test.each([
  ['Größe', 'Die Größe der Knoten'],
  ['привет', 'Привет, мир'],
  ['猫', '小猫喜欢吃鱼'],
  ['喜欢', '小猫喜欢吃鱼'],
  ['ノード', 'ノードを追加するには'],
  ['สวัสดี', 'สวัสดีชาวโลก'],
  ['café', 'Le cafe\u0301 est ouvert'],
  ['cafe', 'Le café est ouvert'],
])('%s is found in "%s"', async (query, text) => {
  const { put, search } = await filled()
  await put('other.md', text)
  expect((await search(query)).passages.map(p => p.document)).toContain('other.md')
})

test.each([
  ['quotes', '"add a node'],
  ['operators', 'add AND (node OR NOT +-~^*:\\ "'],
  ['emoji', '😀🎉'],
  ['stop words', 'how do I do it'],
  ['punctuation', '?!... --'],
  ['blanks', '   '],
  ['a NUL byte', 'node\u0000node'],
  ['half a character', 'node \ud83d'],
  ['4,000 characters of one word', 'node'.repeat(1000)],
  ['hundreds of words', Array.from({ length: 700 }, (_, i) => `w${i}`).join(' ')],
  ['SQL', "'; DROP TABLE x; --"],
])('a query of %s gets an answer and no error', async (_, query) => {
  const { search } = await filled()
  expect((await search(query.slice(0, 4000))).ranking).toBe('text')
})

test('a question of stop words alone still finds a text that holds them', async () => {
  const { search } = await filled()
  expect((await search('what is it that I do')).passages[0]?.document).toBe('docs/keys.md')
})

test('vectors join the words in one ranking', async () => {
  const { as, hop, search } = await filled()
  const body = vectorDocument('v.txt', {
    digest: 'd1',
    chunks: [
      { text: 'a feline rests', vector: [1, 0, 0] },
      { text: 'a canine rests', vector: [0, 1, 0] },
    ],
  })
  await as.call(putDocument, hop, { params: { kb: 'animals' }, body })
  const { passages, ranking } = await search('cat', { kb: ['animals'], vectors: { d1: [0.9, 0.1, 0] } })
  expect(ranking).toBe('hybrid')
  expect(passages[0]!.text).toBe('a feline rests')
  const both = await search('canine', { kb: ['animals'], vectors: { d1: [0.9, 0.1, 0] } })
  expect(both.passages[0]!.text, 'named by both lists').toBe('a canine rests')
  const { kbs } = await as.call(kbTables, hop, { body: { kb: ['animals', 'notes'] } })
  expect(kbs.map(k => [k.name, k.embedding?.digest, k.documents])).toEqual([
    ['animals', 'd1', 1],
    ['notes', undefined, 2],
  ])
})

test('a vector of a length that no table has is left aside', async () => {
  const { search } = await filled()
  expect((await search('node', { vectors: { d9: [1, 2] } })).ranking).toBe('text')
})

test('a knowledge base of two embedding models is searched whole', async () => {
  const { as, hop, search } = await filled()
  for (const digest of ['d1', 'd2']) {
    const body = vectorDocument(`${digest}.txt`, {
      digest,
      chunks: [{ text: `rests ${digest}`, vector: [1, 0] }],
    })
    await as.call(putDocument, hop, { params: { kb: 'mixed' }, body })
  }
  const found = await search('rests', { kb: ['mixed'], vectors: { d1: [1, 0] } })
  expect(found.passages.map(p => p.document).sort()).toEqual(['d1.txt', 'd2.txt'])
  const { kbs } = await as.call(kbTables, hop, { body: { kb: ['mixed'] } })
  expect(kbs.map(k => k.embedding?.digest).sort()).toEqual(['d1', 'd2'])
})

test('a small knowledge base and a large one are weighed alike', async () => {
  const { put, search } = await filled()
  const pages = Array.from(
    { length: 30 },
    (_, i) => `## Page ${i}\n\nThings of kind ${i} change, and nodes too.`,
  )
  await put('big.md', `# Big\n\n${pages.join('\n\n')}\n\n## Code\n\nA code of honour.`, 'big')
  await put('one.md', 'The office door code changes on Mondays. A node stands there.', 'small')
  const [first] = (await search('when does the code of the office door change?')).passages
  expect(first).toMatchObject({ kb: 'small', document: 'one.md' })
  expect((await search('how do I add a node?')).passages[0]).toMatchObject({
    document: 'docs/nodes.md',
    position: { heading: 'Add a node' },
  })
})

test('no knowledge base means no passage', async () => {
  const { search } = await filled()
  expect((await search('node', { kb: [] })).passages).toEqual([])
})

async function filled() {
  const data = await startData()
  const as = data.as('executor')
  const hop = hopOf('ann')
  const put = async (id: string, text: string, kb = 'notes') =>
    as.call(putDocument, hop, { params: { kb }, body: await markdownDocument(id, text) })
  await Promise.all([put('docs/nodes.md', NODES), put('docs/keys.md', KEYS)])
  const search = (
    query: string,
    o: { kb?: string[]; limit?: number; vectors?: Record<string, number[]> } = {},
  ) => data.as('llm').call(rankKb, hop, { body: { query, limit: 10, ...o } })
  return { ...data, as, hop, put, search }
}
