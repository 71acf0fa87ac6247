import type { KbInfo } from '../../../../contracts/kb.ts'
import type { Log } from '../../../../log.ts'
import { notFound } from '../../../refusal.ts'
import { type Embedding, tableName } from '../index/rows.ts'
import type { Hit } from '../index/table.ts'
import type { Kb } from './catalogue.ts'
import { type Documents, digestOf, type NewDocument } from './documents.ts'
import { LiveIndex } from './live-index.ts'
import type { Others } from './others.ts'
import { Tally } from './tally.ts'

/** A write that took so long may have met writes of others that it does not know of. */
const SLEPT_MS = 60_000

/** One knowledge base at work: its documents in the store, its index beside them, and the changes of each document in turn. */
export class Shelf {
  readonly kb: Kb
  readonly #documents: Documents
  readonly #index: LiveIndex
  readonly #others?: Others
  readonly #turns = new Map<string, Promise<unknown>>()
  #tally?: Promise<Tally>
  /** Whose last change failed, perhaps after it was stored: read again before the next search. */
  readonly #unsure = new Set<string>()
  #dropped = false

  /** `others`: where several instances share the store. */
  constructor(o: { kb: Kb; documents: Documents; folder: string; log: Log; others?: Others }) {
    this.kb = o.kb
    this.#documents = o.documents
    this.#others = o.others
    this.#index = new LiveIndex({
      name: o.kb.name,
      documents: o.documents,
      folder: o.folder,
      log: o.log,
      embeddings: async () => (await this.#counted()).embeddings(),
      compared: async d => {
        // Alone, the tally is exact; what others put since it was counted, only this tells.
        if (this.#others) (await this.#counted()).set(d.id, d)
      },
    })
  }

  /** What keeps its index behind the store, if anything. */
  note(): string | undefined {
    return this.#index.note()
  }

  async info(): Promise<KbInfo> {
    const { name, owner, shared } = this.kb
    await this.#current()
    return { name, owner, shared, ...(await this.#counted()).summary() }
  }

  /** Every embedding identity that documents of it have; undefined among them = full text only. */
  async embeddings(): Promise<(Embedding | undefined)[]> {
    await this.#current()
    return (await this.#counted()).embeddings()
  }

  /** Stored when it returns, and found by a search unless the index has trouble of its own (then `note` says so). */
  put(document: NewDocument): Promise<{ chunks: number; unchanged: boolean }> {
    return this.#inTurn(document.id, async () => {
      const known = await this.#documents.get(document.id)
      const chunks = document.chunks.length
      if (known?.digest === digestOf(document)) {
        // Whoever put it may have died before it told the others.
        await this.#others?.tell({ id: document.id, version: known.version })
        return { chunks, unchanged: true }
      }
      const tally = await this.#counted()
      const begun = Date.now()
      const { now, before } = await this.#documents.put(document)
      tally.set(document.id, now)
      await this.#others?.tell(now)
      const moved = before && tableName(before.embedding) !== tableName(now.embedding)
      await this.#index.follow({
        put: { ...document, version: now.version },
        ...(moved && { leaves: before.embedding ?? 'text' }),
      })
      // Had we slept in between, ours might not be the newest, and who was faster has told long ago.
      if (this.#others && Date.now() - begun > SLEPT_MS) await this.#reload(document.id)
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
      tally.set(id, undefined)
      await this.#others?.tell({ id, version: '' })
      await this.#index.follow({ remove: id, leaves: before.embedding ?? 'text' })
      await this.#documents.forget(id, before)
      return before.chunks
    })
  }

  documents(after?: string) {
    return this.#documents.all(after)
  }

  async byWords(words: string, limit: number): Promise<Hit[]> {
    this.#refuseDropped()
    await this.#current()
    return this.#index.byWords(words, limit)
  }

  async byVector(vector: number[], limit: number, embedding: Embedding): Promise<Hit[]> {
    this.#refuseDropped()
    return this.#index.byVector(vector, limit, embedding)
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
    await this.#index.drop()
  }

  async stop(): Promise<void> {
    await Promise.all(this.#turns.values())
    await this.#index.stop()
  }

  /** Changes of one document in the order in which they came, so that the index ends with the one that the store ends with. */
  async #inTurn<T>(id: string, work: () => Promise<T>): Promise<T> {
    this.#refuseDropped()
    const mine = (this.#turns.get(id) ?? Promise.resolve()).then(work)
    const settled = mine.catch(() => {
      if (this.#others) this.#unsure.add(id)
    })
    this.#turns.set(id, settled)
    try {
      return await mine
    } finally {
      if (this.#turns.get(id) === settled) this.#turns.delete(id)
    }
  }

  #counted(): Promise<Tally> {
    if (!this.#tally) {
      this.#tally = this.#count()
      this.#tally.catch(() => {
        this.#tally = undefined
      })
    }
    return this.#tally
  }

  async #count(): Promise<Tally> {
    await this.#others?.begin()
    return Tally.of(this.#documents.all())
  }

  /** Takes over what other instances changed. */
  async #current(): Promise<void> {
    if (!this.#others) return
    const tally = await this.#counted()
    const whole = await this.#others.follow({
      versionOf: id => tally.get(id)?.version ?? '',
      reload: id => this.#inTurn(id, () => this.#reload(id)),
    })
    if (!whole) {
      this.#tally = undefined
      this.#index.doubt()
    }
    for (const id of this.#unsure) await this.#inTurn(id, () => this.#reload(id))
    await this.#counted()
  }

  /** One document as it now stands in the store, into tally and index. */
  async #reload(id: string): Promise<void> {
    const tally = await this.#counted()
    const before = tally.get(id)
    const head = await this.#documents.get(id)
    if (before?.version === head?.version && !this.#unsure.has(id)) return
    const now = head && (await this.#documents.whole(head))
    tally.set(id, now && { ...now, chunks: now.chunks.length })
    const moved = before && (!now || tableName(before.embedding) !== tableName(now.embedding))
    await this.#index.changed({
      ...(now ? { put: now } : { remove: id }),
      ...(moved && { leaves: before.embedding ?? 'text' }),
    })
    this.#unsure.delete(id)
  }

  #refuseDropped(): void {
    if (this.#dropped)
      throw notFound(`knowledge base ${this.kb.name} any more`, 'See them with `llmagentos kb list`.')
  }
}
