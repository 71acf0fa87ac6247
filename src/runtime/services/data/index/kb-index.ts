import { mkdir, rm } from 'node:fs/promises'
import type { Connection } from '@lancedb/lancedb'
import { loadEngine } from './lance.ts'
import { type Embedding, type IndexedDocument, tableName } from './rows.ts'
import { type Hit, IndexTable } from './table.ts'

export interface Change {
  /** What to put, or only the id of what to remove. */
  put?: IndexedDocument
  remove?: string
  /** Where the document stood before, when that was under another embedding identity. */
  leaves?: Embedding | 'text'
}

/** The tables of one knowledge base, in a folder of their own. Its caller runs one write at a time. */
export class KbIndex {
  readonly #folder: string
  #db?: Connection
  readonly #tables = new Map<string, Promise<IndexTable>>()

  constructor(folder: string) {
    this.#folder = folder
  }

  table(embedding?: Embedding): Promise<IndexTable> {
    const name = tableName(embedding)
    let table = this.#tables.get(name)
    if (!table) {
      table = this.#connect().then(db => IndexTable.open(db, name, embedding))
      this.#tables.set(name, table)
      table.catch(() => this.#tables.delete(name))
    }
    return table
  }

  /** One commit per table. A document that changes its table is put in the new one first, so that it is never missing. */
  async apply(changes: Change[]): Promise<void> {
    const byTable = new Map<string, { embedding?: Embedding; put: IndexedDocument[]; remove: string[] }>()
    const batchOf = (embedding?: Embedding) => {
      const name = tableName(embedding)
      const batch = byTable.get(name) ?? { embedding, put: [], remove: [] }
      byTable.set(name, batch)
      return batch
    }
    const left: Change[] = []
    for (const change of changes) {
      if (change.put) batchOf(change.put.embedding).put.push(change.put)
      if (change.leaves) left.push(change)
    }
    for (const b of byTable.values()) await (await this.table(b.embedding)).apply(b)
    byTable.clear()
    for (const { leaves, put, remove } of left)
      batchOf(leaves === 'text' ? undefined : leaves).remove.push(put?.id ?? remove!)
    for (const b of byTable.values()) await (await this.table(b.embedding)).apply(b)
  }

  async byWords(words: string, limit: number, embeddings: (Embedding | undefined)[]): Promise<Hit[]> {
    const lists = await Promise.all(embeddings.map(async e => (await this.table(e)).byWords(words, limit)))
    return lists.flat().sort((a, b) => b.weight - a.weight)
  }

  async byVector(vector: number[], limit: number, embedding: Embedding): Promise<Hit[]> {
    return (await this.table(embedding)).byVector(vector, limit)
  }

  /** Drops tables that no document belongs to any more, those of an older layout among them. */
  async keepOnly(embeddings: (Embedding | undefined)[]): Promise<void> {
    const wanted = new Set(embeddings.map(tableName))
    const db = await this.#connect()
    for (const name of await db.tableNames()) {
      if (wanted.has(name)) continue
      this.#tables.delete(name)
      await db.dropTable(name)
    }
  }

  async optimize(): Promise<void> {
    for (const table of await Promise.all(this.#tables.values())) await table.optimize()
  }

  /** Throws the files away; the next use makes empty tables. */
  async drop(): Promise<void> {
    await this.close()
    await rm(this.#folder, { recursive: true, force: true })
  }

  async close(): Promise<void> {
    const tables = await Promise.allSettled(this.#tables.values())
    this.#tables.clear()
    for (const t of tables) if (t.status === 'fulfilled') t.value.close()
    this.#db?.close()
    this.#db = undefined
  }

  async #connect(): Promise<Connection> {
    if (!this.#db) {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 })
      const { lance, session } = loadEngine()
      this.#db = await lance.connect(this.#folder, { session })
    }
    return this.#db
  }
}
