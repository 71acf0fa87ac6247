import type { Connection, Query, Table, VectorQuery } from '@lancedb/lancedb'
import type { Schema } from 'apache-arrow'
import { loadEngine } from './lance.ts'
import {
  type Embedding,
  type IndexedDocument,
  keyOf,
  PASSAGE_COLUMNS,
  type Row,
  rowsOf,
  schemaOf,
} from './rows.ts'
import { Slots } from './slots.ts'

/** A passage that a table found: `weight` is higher for a better one, on a scale of its own list. */
export interface Hit {
  key: string
  doc: string
  seq: number
  title: string
  heading: string | null
  line: number | null
  page: number | null
  text: string
  weight: number
}

const WORDS = 'search_words'
/** Longer than any search takes: until then the files of an older version stay. */
const KEEP_MS = 10_000
/** Each search uses all cores already; more of them at once only hold more memory. */
const searches = new Slots(4)
/** Up to so many chunks the index is brought up to date within each write; it takes some 20 ms. */
const SMALL = 1000
/** Above, when so large a part of it is not indexed. LanceDB rewrites the whole table then: 0.5 s at 20,000 chunks. */
const STALE_PART = 0.2

/**
 * One LanceDB table: the chunks of a knowledge base for one embedding identity. Derived from the store, never the truth. Searches go to a second
 * handle, which moves on only when a write is whole: rows that are written but not indexed are searched without proper word statistics, and in a
 * small table a word that stands in most of them would find nothing.
 */
export class IndexTable {
  readonly #writer: Table
  readonly #reader: Table
  readonly #schema: Schema

  private constructor(o: { writer: Table; reader: Table; schema: Schema }) {
    this.#writer = o.writer
    this.#reader = o.reader
    this.#schema = o.schema
  }

  static async open(db: Connection, name: string, embedding?: Embedding): Promise<IndexTable> {
    const schema = schemaOf(embedding)
    const there = (await db.tableNames()).includes(name)
    const writer = there ? await db.openTable(name) : await db.createEmptyTable(name, schema)
    const indexed = await writer.listIndices()
    if (!indexed.some(i => i.name === WORDS)) await indexWords(writer)
    return new IndexTable({ writer, reader: await db.openTable(name), schema })
  }

  /** Puts and removes documents in one commit: a reader sees all of it or nothing. */
  async apply(o: { put: IndexedDocument[]; remove: string[] }): Promise<void> {
    const rows = o.put.flatMap(rowsOf)
    const gone = [...o.put.map(d => d.id), ...o.remove].map(id => `'${keyOf(id)}'`).join(', ')
    if (!gone) return
    if (rows.length === 0) await this.#writer.delete(`key IN (${gone})`)
    else await this.#merge(rows, gone)
    if (await this.#isStale()) await this.#optimizeNow()
    await this.#reader.checkoutLatest()
  }

  async #merge(rows: Row[], gone: string): Promise<void> {
    const data = loadEngine().lance.makeArrowTable(rows, { schema: this.#schema })
    await this.#writer
      .mergeInsert('id')
      .whenMatchedUpdateAll()
      .whenNotMatchedInsertAll()
      .whenNotMatchedBySourceDelete({ where: `key IN (${gone})` })
      .execute(data)
  }

  /** Which version of which document it holds. The first chunk speaks for all, because a document is written in one commit. */
  async versions(): Promise<Map<string, { doc: string; version: string }>> {
    const query = this.#reader.query().where('seq = 0').select(['key', 'doc', 'version'])
    const found = new Map<string, { doc: string; version: string }>()
    for await (const batch of query) {
      const [key, doc, version] = ['key', 'doc', 'version'].map(name => batch.getChild(name))
      for (let i = 0; i < batch.numRows; i++)
        found.set(String(key?.get(i)), { doc: String(doc?.get(i)), version: String(version?.get(i)) })
    }
    return found
  }

  async byWords(words: string, limit: number): Promise<Hit[]> {
    if (!words) return []
    const { MatchQuery } = loadEngine().lance
    const found = this.#reader.query().fullTextSearch(new MatchQuery(words, 'search'))
    const hits = await read(found.limit(limit), '_score')
    // Rows that the index does not hold yet come back in no order of their own.
    return hits.sort((a, b) => b.weight - a.weight || order(a, b))
  }

  async byVector(vector: number[], limit: number): Promise<Hit[]> {
    const found = this.#reader.vectorSearch(vector).distanceType('cosine')
    const hits = await read(found.limit(limit), '_distance')
    return hits.sort((a, b) => b.weight - a.weight || order(a, b))
  }

  /** Brings what is left over into the index, joins small files and lets go of what no reader holds any more. Never beside a write. */
  async optimize(): Promise<void> {
    const stats = await this.#writer.indexStats(WORDS)
    if (!stats?.numUnindexedRows) return
    await this.#optimizeNow()
    await this.#reader.checkoutLatest()
  }

  close(): void {
    this.#reader.close()
    this.#writer.close()
  }

  async #isStale(): Promise<boolean> {
    const stats = await this.#writer.indexStats(WORDS)
    if (!stats) return true
    const { numIndexedRows: indexed, numUnindexedRows: left } = stats
    return left > 0 && (indexed + left <= SMALL || left > indexed * STALE_PART)
  }

  async #optimizeNow(): Promise<void> {
    await this.#writer.optimize({ cleanupOlderThan: new Date(Date.now() - KEEP_MS) })
  }
}

/** English stems let "nodes" find "node" and leave other alphabets alone; questions lose their fillers in words.ts, so the index keeps all words. */
async function indexWords(table: Table): Promise<void> {
  const config = loadEngine().lance.Index.fts({
    baseTokenizer: 'simple',
    language: 'English',
    stem: true,
    removeStopWords: false,
    lowercase: true,
    asciiFolding: true,
    withPosition: false,
    maxTokenLength: 200,
  })
  await table.createIndex('search', { config, name: WORDS })
}

/** Column by column: row objects of Arrow take several times the memory and do not give it back. */
async function read(query: Query | VectorQuery, scale: '_score' | '_distance'): Promise<Hit[]> {
  const found = await searches.run(() => query.select([...PASSAGE_COLUMNS, scale]).toArrow())
  const column = (name: string) => found.getChild(name)
  const [key, doc, seq, title] = ['key', 'doc', 'seq', 'title'].map(column)
  const [heading, line, page, text] = ['heading', 'line', 'page', 'text'].map(column)
  const weight = column(scale)
  return Array.from({ length: found.numRows }, (_, i) => ({
    key: String(key?.get(i)),
    doc: String(doc?.get(i)),
    seq: Number(seq?.get(i)),
    title: String(title?.get(i)),
    heading: heading?.get(i) ?? null,
    line: line?.get(i) ?? null,
    page: page?.get(i) ?? null,
    text: String(text?.get(i)),
    weight: scale === '_score' ? Number(weight?.get(i)) : 1 - Number(weight?.get(i)),
  }))
}

/** Equal weights in an order that does not depend on how rows lie in files. */
const order = (a: Hit, b: Hit) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.seq - b.seq)
