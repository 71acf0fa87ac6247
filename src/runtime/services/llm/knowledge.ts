import type { Passage } from '../../../contracts/ask.ts'
import { kbTables, rankKb } from '../../../contracts/kb.ts'
import { workerEmbed } from '../../../contracts/worker.ts'
import { reasonOf } from '../../../errors.ts'
import { asSelf, type Hop } from '../../hop.ts'
import type { Calls } from '../../transport.ts'
import type { Workers } from './workers.ts'

export interface Found {
  passages: Passage[]
  ranking: string
  /** What the asker should know: a kb whose embedding model is gone was searched by text alone. */
  notes: string[]
}

/** Search in knowledge bases. The query's vectors are made here, with each table's own model; data never calls a model. */
export class Knowledge {
  readonly #calls: Calls
  readonly #workers: Workers

  constructor(calls: Calls, workers: Workers) {
    this.#calls = calls
    this.#workers = workers
  }

  async search(o: { query: string; kb?: string[]; limit?: number }, hop: Hop): Promise<Found> {
    const notes: string[] = []
    const vectors = this.#anyEmbeds() ? await this.#vectors(o, hop, notes) : undefined
    const body = { query: o.query, kb: o.kb, limit: o.limit ?? 10, ...(vectors && { vectors }) }
    const { passages, ranking } = await this.#calls.call(rankKb, hop, { body })
    return { passages, ranking, notes }
  }

  /** Without an embedding model anywhere the question about tables is saved. */
  #anyEmbeds(): boolean {
    return this.#workers.states().some(w => w.state.models.some(m => m.embeds))
  }

  async #vectors(
    o: { query: string; kb?: string[] },
    hop: Hop,
    notes: string[],
  ): Promise<Record<string, number[]>> {
    const { kbs } = await this.#calls.call(kbTables, hop, { body: { kb: o.kb } })
    const wanted = new Map(
      kbs.flatMap(k => (k.embedding ? [[k.embedding.digest, k.embedding.model] as const] : [])),
    )
    const vectors: Record<string, number[]> = {}
    await Promise.all(
      [...wanted].map(async ([digest, model]) => {
        try {
          const worker = this.#workers
            .states()
            .find(w => w.state.models.some(m => m.digest === digest && m.embeds))
          if (!worker) throw new Error(`no worker has ${model} any more`)
          const made = await this.#calls.call(workerEmbed, asSelf(hop), { body: { model, input: [o.query] } })
          vectors[digest] = made.vectors[0]!
        } catch (thrown) {
          notes.push(`Searched by text alone where ${model} made the vectors: ${reasonOf(thrown)}.`)
        }
      }),
    )
    return vectors
  }
}
