import Type, { type Static } from 'typebox'
import { KB_NAME } from '../../../contracts/ask.ts'
import { Refusal } from '../../refusal.ts'
import { type Kind, TaskFailure, type Tools } from '../kind.ts'
import { addVectors } from './vectors.ts'

const Params = Type.Object(
  {
    kb: Type.String({ pattern: KB_NAME, description: 'the knowledge base to add to' }),
    objects: Type.Array(Type.String({ minLength: 1, maxLength: 512 }), {
      minItems: 1,
      maxItems: 200,
      description: 'names of your objects: Markdown, text, HTML or PDF',
    }),
    shared: Type.Optional(Type.Boolean({ description: 'make it one that every user may read' })),
  },
  { additionalProperties: false },
)
type Params = Static<typeof Params>

export interface IngestResult {
  kb: string
  documents: { id: string; object: string; chunks: number; unchanged: boolean }[]
  failed: { object: string; reason: string; next?: string }[]
  /** The model whose vectors the documents have; absent = full text only. */
  embedding?: string
}

/** Objects become documents of a knowledge base. One that cannot be read is named in the result and does not stop the others. */
export const ingest: Kind<Params> = {
  name: 'ingest',
  summary: 'Add objects to a knowledge base',
  params: Params,
  class: 'cpu',
  concurrencyKey: ({ kb }) => `kb:${kb}`,
  examples: [
    {
      text: 'ingest handbook.pdf into notes',
      params: { kb: 'notes', objects: ['handbook.pdf'] },
    },
    {
      text: 'ingest reports/may.md and reports/june.md into reports',
      params: { kb: 'reports', objects: ['reports/may.md', 'reports/june.md'] },
    },
  ],
  read(text) {
    const said = SAID.exec(text.trim())
    if (!said) return undefined
    const objects = said[1]!
      .split(/,(?:\s?and\s)?|\sand\s/)
      .map(name => name.trim())
      .filter(Boolean)
    return { sure: 1, params: { kb: said[2]!, objects } }
  },
  async run(params, tools) {
    const result: IngestResult = { kb: params.kb, documents: [], failed: [] }
    for (const [i, object] of params.objects.entries()) {
      tools.signal.throwIfAborted()
      tools.progress(`${i + 1}/${params.objects.length} ${object}`)
      try {
        const { embedding, ...document } = await ingestOne(object, params, tools)
        result.documents.push(document)
        if (embedding) result.embedding = embedding
      } catch (thrown) {
        if (!(thrown instanceof Refusal) || !isOfTheDocument(thrown)) throw thrown
        result.failed.push({ object, reason: thrown.message, ...(thrown.next && { next: thrown.next }) })
      }
    }
    const first = result.failed[0]
    // Of several each has a reason of its own, which only a result can tell.
    if (params.objects.length === 1 && first) throw new TaskFailure(first.reason, { next: first.next })
    return result
  },
}

const SAID =
  /^(?:please\s{1,9})?ingest\s{1,9}(?:the\s{1,9})?(?:objects?\s{1,9})?(.+?)\s{1,9}(?:in|into|to)\s{1,9}(?:the\s{1,9})?(?:knowledge base\s{1,9}|kb\s{1,9})?([a-z0-9][a-z0-9-]{0,39})(?:\s{1,9}knowledge base)?\.?$/i

async function ingestOne(object: string, { kb, shared }: Params, tools: Tools) {
  const { parseDocument } = await import('./index.ts')
  const bytes = await tools.data.get(object)
  const parsed = await parseDocument({ bytes, name: object, signal: tools.signal })
  const { chunks, embedding } = await addVectors(parsed, tools)
  const id = idOf(object, kb)
  const stored = await tools.putDocument(kb, {
    ...parsed,
    id,
    chunks,
    ...(embedding && { embedding }),
    ...(shared && { shared }),
  })
  return { id, object, ...stored, embedding: embedding?.model }
}

/** `kb add` keeps originals under kb/<name>/; within the knowledge base that goes without saying. */
function idOf(object: string, kb: string): string {
  const prefix = `kb/${kb}/`
  return object.startsWith(prefix) && object.length > prefix.length ? object.slice(prefix.length) : object
}

/** What is wrong with this one document; rights, limits and trouble of ours are no matter of a document. */
const isOfTheDocument = (refusal: Refusal) => [400, 404, 413, 422].includes(refusal.status)
