import type { KbInfo } from '../../../../contracts/kb.ts'
import { reasonOf } from '../../../../errors.ts'
import type { Log } from '../../../../log.ts'
import { notFound, Refusal } from '../../../refusal.ts'
import { KbIndex } from '../index/kb-index.ts'
import { type Embedding, keyOf, tableName } from '../index/rows.ts'
import type { Hit } from '../index/table.ts'
import type { Kb } from './catalogue.ts'
import { type Documents, digestOf, type NewDocument, type StoredDocument } from './documents.ts'
import { Tally } from './tally.ts'
import { WriteQueue } from './write-queue.ts'

/** Between two rebuilds of a damaged index, milliseconds: a disk that damages each one must not keep us busy. */
const REBUILD_PAUSE_MS = 60_000
/** Documents read from the store at once while the index is brought up to it. */
const CATCH_UP = 64

/** One knowledge base at work: its documents in the store, its index beside them, and one queue of writes. */
export class Shelf {
  readonly kb: Kb
  readonly #documents: Documents
  readonly #index: KbIndex
  readonly #log: Log
  readonly #queue: WriteQueue
  readonly #turns = new Map<string, Promise<unknown>>()
  #tally?: Promise<Tally>
  #caughtUp?: Promise<void>
  #rebuiltAt = Number.NEGATIVE_INFINITY
  #note?: string
  #dropped = false

  constructor(o: { kb: Kb; documents: Documents; folder: string; log: Log }) {
    this.kb = o.kb
    this.#documents = o.documents
    this.#index = new KbIndex(o.folder)
    this.#log = o.log
    this.#queue = new WriteQueue({
      apply: changes => this.#index.apply(changes),
      optimize: () =>
        this.#index.optimize().catch(thrown => {
          o.log.warn({ kb: o.kb.name, err: thrown }, 'upkeep of an index failed; it follows the next write')
        }),
    })
  }

  /** What keeps its index behind the store, if anything. */
  note(): string | undefined {
    return this.#note
  }

  async info(): Promise<KbInfo> {
    const { name, owner, shared } = this.kb
    return { name, owner, shared, ...(await this.#counted()).summary() }
  }

  /** Every embedding identity that documents of it have; undefined among them = full text only. */
  async embeddings(): Promise<(Embedding | undefined)[]> {
    return (await this.#counted()).embeddings()
  }

  /** Stored when it returns, and found by a search unless the index has trouble of its own (then `note` says so). */
  put(document: NewDocument): Promise<{ chunks: number; unchanged: boolean }> {
    return this.#inTurn(document.id, async () => {
      const known = await this.#documents.get(document.id)
      const chunks = document.chunks.length
      if (known?.digest === digestOf(document)) return { chunks, unchanged: true }
      const tally = await this.#counted()
      const { now, before } = await this.#documents.put(document)
      tally.replace(before, now)
      const moved = before && tableName(before.embedding) !== tableName(now.embedding)
      await this.#follow({
        put: { ...document, version: now.version },
        ...(moved && { leaves: before.embedding ?? 'text' }),
      })
      await this.#documents.forget(document.id, before)
      return { chunks, unchanged: false }
    })
  }

  /** How many chunks it had; undefined when there is no such document. */
  remove(id: string): Promise<number | undefined> {
    return this.#inTurn(id, async () => {
      const tally = await this.#counted()
      const before = await this.#documents.remove(id)
      if (!before) return undefined
      tally.replace(before, undefined)
      await this.#follow({ remove: id, leaves: before.embedding ?? 'text' })
      await this.#documents.forget(id, before)
      return before.chunks
    })
  }

  documents(after?: string): AsyncGenerator<StoredDocument> {
    return this.#documents.all(after)
  }

  byWords(words: string, limit: number): Promise<Hit[]> {
    return this.#read(async () => this.#index.byWords(words, limit, await this.embeddings()))
  }

  byVector(vector: number[], limit: number, embedding: Embedding): Promise<Hit[]> {
    return this.#read(() => this.#index.byVector(vector, limit, embedding))
  }

  /** Ends what a crash left unfinished in the store. */
  async sweep(): Promise<void> {
    for (const id of await this.#documents.unfinished())
      await this.#inTurn(id, () => this.#documents.forget(id))
    await this.#documents.dropOrphans()
  }

  /** For a knowledge base that was removed: what runs ends first, and nothing begins any more. */
  async drop(): Promise<void> {
    this.#dropped = true
    await Promise.all(this.#turns.values())
    await this.#queue.alone(() => this.#index.drop())
  }

  async stop(): Promise<void> {
    await Promise.all(this.#turns.values())
    await this.#queue.stop()
    await this.#index.close()
  }

  /** Changes of one document in the order in which they came, so that the index ends with the one that the store ends with. */
  async #inTurn<T>(id: string, work: () => Promise<T>): Promise<T> {
    this.#refuseDropped()
    const mine = (this.#turns.get(id) ?? Promise.resolve()).then(work)
    const settled = mine.catch(() => {})
    this.#turns.set(id, settled)
    try {
      return await mine
    } finally {
      if (this.#turns.get(id) === settled) this.#turns.delete(id)
    }
  }

  #counted(): Promise<Tally> {
    if (!this.#tally) {
      this.#tally = Tally.of(this.#documents.all())
      this.#tally.catch(() => {
        this.#tally = undefined
      })
    }
    return this.#tally
  }

  /** The store has the change already, so trouble with the index is ours to mend and no reason to refuse. */
  async #follow(change: Parameters<WriteQueue['write']>[0]): Promise<void> {
    try {
      const startsNow = this.#caughtUp === undefined
      await this.#catchUp()
      // It began after the change was stored, so it brought the change along.
      if (!startsNow) await this.#queue.write(change)
    } catch (thrown) {
      this.#fellBehind(thrown)
    }
  }

  async #read<T>(search: () => Promise<T>): Promise<T> {
    this.#refuseDropped()
    try {
      await this.#catchUp()
      return await search()
    } catch (thrown) {
      this.#fellBehind(thrown)
      if (performance.now() - this.#rebuiltAt < REBUILD_PAUSE_MS) throw unusable(this.kb.name, thrown)
    }
    try {
      await this.#rebuild()
      return await search()
    } catch (thrown) {
      this.#fellBehind(thrown)
      throw unusable(this.kb.name, thrown)
    }
  }

  #refuseDropped(): void {
    if (this.#dropped)
      throw notFound(`knowledge base ${this.kb.name} any more`, 'See them with `llmagentos kb list`.')
  }

  async #rebuild(): Promise<void> {
    this.#rebuiltAt = performance.now()
    await this.#queue.alone(() => this.#index.drop())
    this.#caughtUp = undefined
    await this.#catchUp()
    this.#log.warn({ kb: this.kb.name }, 'built the index of a knowledge base anew from the store')
  }

  #fellBehind(thrown: unknown): void {
    this.#caughtUp = undefined
    this.#note = `The index of the knowledge base ${this.kb.name} is behind its store: ${reasonOf(thrown).split('\n')[0]?.slice(0, 300)}`
    this.#log.warn({ kb: this.kb.name, err: thrown }, 'the index of a knowledge base is behind its store')
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
    const embeddings = await this.embeddings()
    await this.#index.keepOnly(embeddings)
    const extra = new Map<string, { doc: string; version: string; embedding?: Embedding }>()
    for (const embedding of embeddings)
      for (const [key, row] of await (await this.#index.table(embedding)).versions())
        extra.set(`${tableName(embedding)} ${key}`, { ...row, embedding })
    const missing: StoredDocument[] = []
    for await (const document of this.#documents.all()) {
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
    const changes = await Promise.all(
      documents.map(async d => ({ put: { ...d, chunks: await this.#documents.chunksOf(d) } })),
    )
    if (changes.length > 0) await this.#index.apply(changes)
  }
}

const unusable = (name: string, cause: unknown) =>
  new Refusal(503, 'index', `The index of the knowledge base ${name} cannot be read and is being repaired.`, {
    next: 'Try again in a minute; `llmagentos cluster status` says what is wrong.',
    retryAfterSeconds: 30,
    cause,
  })
