import { createHash } from 'node:crypto'
import type { Schema } from 'apache-arrow'
import type { Chunk } from '../../../../contracts/kb.ts'
import { loadEngine } from './lance.ts'
import { indexText } from './words.ts'

/** Which vectors a table holds; absent = full text only. */
export interface Embedding {
  model: string
  digest: string
  dims: number
}

export interface IndexedDocument {
  id: string
  /** Which stored content these rows are of. */
  version: string
  title: string
  embedding?: Embedding
  chunks: Chunk[]
}

export interface Row extends Record<string, unknown> {
  id: string
  key: string
  doc: string
  version: string
  seq: number
  title: string
  heading: string | null
  line: number | null
  page: number | null
  text: string
  search: string
  vector?: number[]
}

/** The columns of a passage, without what only the index needs. */
export const PASSAGE_COLUMNS = ['key', 'doc', 'seq', 'title', 'heading', 'line', 'page', 'text']

/** Changed with the columns or the tokeniser, so that an older table is left aside and built anew from the store. */
const LAYOUT = 'l1'

/** Name of the table for an embedding identity, within the folder of its knowledge base. */
export function tableName(embedding?: Embedding): string {
  if (!embedding) return `text-0-${LAYOUT}`
  const digest = createHash('sha256').update(embedding.digest).digest('hex').slice(0, 24)
  return `${digest}-${embedding.dims}-${LAYOUT}`
}

/** A document's id may hold any character; its key stands in filters and needs no quoting. */
export const keyOf = (doc: string) => createHash('sha256').update(doc).digest('hex').slice(0, 32)

export function rowsOf(document: IndexedDocument): Row[] {
  const key = keyOf(document.id)
  return document.chunks.map((chunk, seq) => ({
    id: `${key}:${seq}`,
    key,
    doc: document.id,
    version: document.version,
    seq,
    title: document.title,
    heading: chunk.position.heading ?? null,
    line: chunk.position.line ?? null,
    page: chunk.position.page ?? null,
    text: chunk.text,
    search: indexText([document.title, chunk.position.heading, chunk.text].filter(Boolean).join('\n')),
    ...(document.embedding && { vector: chunk.vector }),
  }))
}

export function schemaOf(embedding?: Embedding): Schema {
  const { Schema, Field, Utf8, Int32, Float32, FixedSizeList } = loadEngine().arrow
  const text = (name: string, nullable = false) => new Field(name, new Utf8(), nullable)
  const number = (name: string, nullable = false) => new Field(name, new Int32(), nullable)
  const fields = [
    text('id'),
    text('key'),
    text('doc'),
    text('version'),
    number('seq'),
    text('title'),
    text('heading', true),
    number('line', true),
    number('page', true),
    text('text'),
    text('search'),
  ]
  if (!embedding) return new Schema(fields)
  const list = new FixedSizeList(embedding.dims, new Field('item', new Float32(), true))
  return new Schema([...fields, new Field('vector', list, true)])
}
