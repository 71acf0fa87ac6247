import type { KbInfo } from '../../../../contracts/kb.ts'
import { type Embedding, tableName } from '../index/rows.ts'

interface Counted {
  chunks: number
  embedding?: Embedding
}

/** How much a knowledge base holds, counted once and kept up with each change. */
export class Tally {
  #documents = 0
  #chunks = 0
  readonly #tables = new Map<string, { embedding?: Embedding; documents: number }>()

  static async of(documents: AsyncIterable<Counted>): Promise<Tally> {
    const tally = new Tally()
    for await (const d of documents) tally.replace(undefined, d)
    return tally
  }

  replace(before: Counted | undefined, now: Counted | undefined): void {
    if (before) this.#count(before, -1)
    if (now) this.#count(now, 1)
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
      documents: this.#documents,
      chunks: this.#chunks,
      ...(most?.embedding && { embedding: most.embedding }),
    }
  }

  #count(d: Counted, by: 1 | -1): void {
    this.#documents += by
    this.#chunks += by * d.chunks
    const name = tableName(d.embedding)
    const table = this.#tables.get(name) ?? { embedding: d.embedding, documents: 0 }
    table.documents += by
    if (table.documents > 0) this.#tables.set(name, table)
    else this.#tables.delete(name)
  }
}
