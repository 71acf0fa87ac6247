import { reasonOf } from '../../../../errors.ts'
import type { Log } from '../../../../log.ts'
import { Refusal } from '../../../refusal.ts'
import { type Change, KbIndex } from '../index/kb-index.ts'
import { type Embedding, keyOf, tableName } from '../index/rows.ts'
import type { Documents, StoredDocument } from './documents.ts'
import { WriteQueue } from './write-queue.ts'

/** Between two rebuilds of a damaged index, milliseconds: a disk that damages each one must not keep us busy. */
const REBUILD_PAUSE_MS = 60_000
/** Documents read from the store at once while the index is brought up to it. */
const CATCH_UP = 64

/** The index of one knowledge base, kept at what the store holds: by each change, and by comparing all of it at the start and after trouble. */
export class LiveIndex {
  readonly #name: string
  readonly #documents: Documents
  readonly #index: KbIndex
  readonly #log: Log
  readonly #queue: WriteQueue
  readonly #embeddings: () => Promise<(Embedding | undefined)[]>
  readonly #compared: (document: StoredDocument) => Promise<void>
  #caughtUp?: Promise<void>
  #rebuiltAt = Number.NEGATIVE_INFINITY
  #note?: string

  constructor(o: {
    name: string
    documents: Documents
    folder: string
    log: Log
    /** Every embedding identity that documents of it have. */
    embeddings(): Promise<(Embedding | undefined)[]>
    /** Hears of each document that a comparison meets. */
    compared(document: StoredDocument): Promise<void>
  }) {
    this.#name = o.name
    this.#documents = o.documents
    this.#index = new KbIndex(o.folder)
    this.#log = o.log
    this.#embeddings = o.embeddings
    this.#compared = o.compared
    this.#queue = new WriteQueue({
      apply: changes => this.#index.apply(changes),
      optimize: () =>
        this.#index.optimize().catch(thrown => {
          o.log.warn({ kb: o.name, err: thrown }, 'upkeep of an index failed; it follows the next write')
        }),
    })
  }

  /** What keeps it behind the store, if anything. */
  note(): string | undefined {
    return this.#note
  }

  byWords(words: string, limit: number) {
    return this.#read(async () => this.#index.byWords(words, limit, await this.#embeddings()))
  }

  byVector(vector: number[], limit: number, embedding: Embedding) {
    return this.#read(() => this.#index.byVector(vector, limit, embedding))
  }

  /** The store has the change already, so trouble with the index is ours to mend and no reason to refuse. */
  async follow(change: Change): Promise<void> {
    try {
      const startsNow = this.#caughtUp === undefined
      await this.#catchUp()
      // It began after the change was stored, so it brought the change along.
      if (!startsNow) await this.#queue.write(change)
    } catch (thrown) {
      this.#fellBehind(thrown)
    }
  }

  /** As `follow`, where the index was used before; else the first search finds it. */
  async changed(change: Change): Promise<void> {
    if (this.#caughtUp) await this.follow(change)
  }

  /** The next search compares all of it with the store. */
  doubt(): void {
    this.#caughtUp = undefined
  }

  async drop(): Promise<void> {
    await this.#queue.alone(() => this.#index.drop())
  }

  async stop(): Promise<void> {
    await this.#queue.stop()
    await this.#index.close()
  }

  async #read<T>(search: () => Promise<T>): Promise<T> {
    try {
      await this.#catchUp()
      return await search()
    } catch (thrown) {
      this.#fellBehind(thrown)
      if (performance.now() - this.#rebuiltAt < REBUILD_PAUSE_MS) throw unusable(this.#name, thrown)
    }
    try {
      await this.#rebuild()
      return await search()
    } catch (thrown) {
      this.#fellBehind(thrown)
      throw unusable(this.#name, thrown)
    }
  }

  async #rebuild(): Promise<void> {
    this.#rebuiltAt = performance.now()
    await this.#queue.alone(() => this.#index.drop())
    this.#caughtUp = undefined
    await this.#catchUp()
    this.#log.warn({ kb: this.#name }, 'built the index of a knowledge base anew from the store')
  }

  #fellBehind(thrown: unknown): void {
    this.#caughtUp = undefined
    this.#note = `The index of the knowledge base ${this.#name} is behind its store: ${reasonOf(thrown).split('\n')[0]?.slice(0, 300)}`
    this.#log.warn({ kb: this.#name, err: thrown }, 'the index of a knowledge base is behind its store')
  }

  /** Once after a start, and again after trouble: makes the index hold exactly what the store holds. */
  #catchUp(): Promise<void> {
    if (!this.#caughtUp) {
      const run = this.#queue.alone(() => this.#compare())
      this.#caughtUp = run
      run.then(
        () => {
          this.#note = undefined
        },
        () => {
          if (this.#caughtUp === run) this.#caughtUp = undefined
        },
      )
    }
    return this.#caughtUp
  }

  async #compare(): Promise<void> {
    const embeddings = await this.#embeddings()
    await this.#index.keepOnly(embeddings)
    const extra = new Map<string, { doc: string; version: string; embedding?: Embedding }>()
    for (const embedding of embeddings)
      for (const [key, row] of await (await this.#index.table(embedding)).versions())
        extra.set(`${tableName(embedding)} ${key}`, { ...row, embedding })
    const missing: StoredDocument[] = []
    for await (const document of this.#documents.all()) {
      await this.#compared(document)
      if (document.chunks === 0) continue
      const place = `${tableName(document.embedding)} ${keyOf(document.id)}`
      const known = extra.get(place)
      extra.delete(place)
      if (known?.version === document.version) continue
      missing.push(document)
      if (missing.length >= CATCH_UP) await this.#load(missing.splice(0))
    }
    await this.#load(missing)
    await this.#index.apply(
      [...extra.values()].map(e => ({ remove: e.doc, leaves: e.embedding ?? ('text' as const) })),
    )
  }

  async #load(documents: StoredDocument[]): Promise<void> {
    const whole = await Promise.all(documents.map(d => this.#documents.whole(d)))
    const changes = whole.flatMap(put => (put ? [{ put }] : []))
    if (changes.length > 0) await this.#index.apply(changes)
  }
}

const unusable = (name: string, cause: unknown) =>
  new Refusal(503, 'index', `The index of the knowledge base ${name} cannot be read and is being repaired.`, {
    next: 'Try again in a minute; `llmagentos cluster status` says what is wrong.',
    retryAfterSeconds: 30,
    cause,
  })
