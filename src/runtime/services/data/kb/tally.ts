import type { KbInfo } from '../../../../contracts/kb.ts'
import { type Embedding, tableName } from '../index/rows.ts'

interface Counted {
  id: string
  chunks: number
  version: string
  embedding?: Embedding
}

/** How much a knowledge base holds, counted once and kept up with each change. */
export class Tally {
  #chunks = 0
  readonly #documents = new Map<string, Counted>()
  readonly #tables = new Map<string, { embedding?: Embedding; documents: number }>()

  static async of(documents: AsyncIterable<Counted>): Promise<Tally> {
    const tally = new Tally()
    for await (const d of documents) tally.set(d.id, d)
    return tally
  }

  get(id: string): Counted | undefined {
    return this.#documents.get(id)
  }

  set(id: string, now: Counted | undefined): void {
    const before = this.#documents.get(id)
    if (before) this.#count(before, -1)
    if (now) this.#count(now, 1)
    if (!now) this.#documents.delete(id)
    else this.#documents.set(id, { id, chunks: now.chunks, version: now.version, embedding: now.embedding })
  }

  embeddings(): (Embedding | undefined)[] {
    return [...this.#tables.values()].map(t => t.embedding)
  }

  /** `embedding` is that of most documents. */
  summary(): Pick<KbInfo, 'documents' | 'chunks' | 'embedding'> {
    const most = [...this.#tables.values()]
      .filter(t => t.embedding)
      .sort((a, b) => b.documents - a.documents)[0]
    return {
      documents: this.#documents.size,
      chunks: this.#chunks,
      ...(most?.embedding && { embedding: most.embedding }),
    }
  }

  #count(d: Counted, by: 1 | -1): void {
    this.#chunks += by * d.chunks
    const name = tableName(d.embedding)
    const table = this.#tables.get(name) ?? { embedding: d.embedding, documents: 0 }
    table.documents += by
    if (table.documents > 0) this.#tables.set(name, table)
    else this.#tables.delete(name)
  }
}
