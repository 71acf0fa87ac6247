import { expect, test } from 'vitest'
import { silent } from '../../../../src/log.ts'
import { type IngestResult, ingest } from '../../../../src/runtime/kinds/ingest/kind.ts'
import type { Tools } from '../../../../src/runtime/kinds/kind.ts'
import { Refusal } from '../../../../src/runtime/refusal.ts'

type Put = { kb: string } & Parameters<Tools['putDocument']>[1]

test('objects become documents, named without the prefix under which kb add keeps them', async () => {
  const { tools, puts, said } = standIn({ 'kb/notes/docs/a.md': '# A\n\none', 'other.txt': 'two' })
  const result = await ingest.run({ kb: 'notes', objects: ['kb/notes/docs/a.md', 'other.txt'] }, tools)
  expect(result).toMatchObject({
    documents: [
      { id: 'docs/a.md', chunks: 1 },
      { id: 'other.txt', chunks: 1 },
    ],
    failed: [],
  })
  expect(puts.map(p => [p.kb, p.id, p.embedding, p.chunks[0]!.vector])).toEqual([
    ['notes', 'docs/a.md', undefined, undefined],
    ['notes', 'other.txt', undefined, undefined],
  ])
  expect(said).toEqual(['1/2 kb/notes/docs/a.md', '2/2 other.txt'])
})

test('with an embedding model each chunk has its vector, made from its title and heading too', async () => {
  const long = Array.from({ length: 150 }, (_, i) => `## Part ${i}\n\nText ${i}.`).join('\n\n')
  const { tools, puts, embedded } = standIn({ 'long.md': `# Long\n\n${long}` }, { digest: 'd1' })
  const result = (await ingest.run({ kb: 'notes', objects: ['long.md'] }, tools)) as IngestResult
  expect(result.embedding).toBe('model')
  expect(puts[0]).toMatchObject({ embedding: { model: 'model', digest: 'd1', dims: 2 } })
  expect(puts[0]!.chunks.map(c => c.vector?.[1])).toEqual(
    Array.from({ length: 150 }, (_, i) => `Text ${i}.`.length),
  )
  expect(embedded.every(batch => batch.length <= 64)).toBe(true)
  expect(embedded[0]![3]).toBe('Long\nPart 3\nText 3.')
})

test('one that cannot be read or is not there does not stop the others', async () => {
  const { tools, puts } = standIn({ 'empty.md': '', 'good.md': 'good' })
  const result = await ingest.run({ kb: 'notes', objects: ['empty.md', 'gone.md', 'good.md'] }, tools)
  expect(result).toMatchObject({
    documents: [{ id: 'good.md' }],
    failed: [
      { object: 'empty.md', reason: expect.stringContaining('0 bytes') },
      { object: 'gone.md', reason: 'There is no object gone.md.' },
    ],
  })
  expect(puts).toHaveLength(1)
})

test('a single one that cannot be read fails the task for good', async () => {
  const { tools } = standIn({ 'empty.md': '' })
  await expect(ingest.run({ kb: 'notes', objects: ['empty.md'] }, tools)).rejects.toMatchObject({
    name: 'TaskFailure',
  })
})

test('trouble that passes is thrown, so that another attempt is made', async () => {
  const { tools } = standIn({ 'a.md': 'a' })
  tools.putDocument = async () => {
    throw new Refusal(503, 'unavailable', 'The data service cannot be reached.')
  }
  await expect(ingest.run({ kb: 'notes', objects: ['a.md'] }, tools)).rejects.toMatchObject({ status: 503 })
})

test.each([
  ['ingest handbook.pdf into notes', { kb: 'notes', objects: ['handbook.pdf'] }],
  [
    'Please ingest the objects a.md, b.md and c.md into the knowledge base team-docs.',
    { kb: 'team-docs', objects: ['a.md', 'b.md', 'c.md'] },
  ],
])('"%s" is understood', (text, params) => {
  expect(ingest.read!(text)).toEqual({ sure: 1, params })
})

test('other words are left to other kinds', () => {
  expect(ingest.read!('what did the board ingest into the report')).toBeUndefined()
})

/** A stand-in for the executor: objects in memory, an embedding model that knows the length of a text. */
function standIn(objects: Record<string, string>, o: { digest?: string } = {}) {
  const puts: Put[] = []
  const said: string[] = []
  const embedded: string[][] = []
  const tools = {
    id: 'task',
    attempt: 1,
    signal: new AbortController().signal,
    log: silent,
    progress: (text: string) => said.push(text),
    data: {
      async get(name: string) {
        if (objects[name] === undefined) throw new Refusal(404, 'not_found', `There is no object ${name}.`)
        return Buffer.from(objects[name])
      },
    },
    async embed({ input }: { input: string[] }) {
      if (!o.digest) throw new Refusal(404, 'no_embedding_model', 'No worker has an embedding model.')
      embedded.push(input)
      const vectors = input.map(text => [1, text.split('\n').at(-1)!.length])
      return { model: 'model', digest: o.digest, vectors, usage: { promptTokens: 1, completionTokens: 0 } }
    },
    async putDocument(kb: string, document: Parameters<Tools['putDocument']>[1]) {
      puts.push({ kb, ...document })
      return { chunks: document.chunks.length, unchanged: false }
    },
  } as unknown as Tools
  return { tools, puts, said, embedded }
}
