import { setTimeout as sleep } from 'node:timers/promises'
import type { Given } from '../../../contracts/auth-records.ts'
import { reasonOf } from '../../../errors.ts'
import type { Log } from '../../../log.ts'
import { type Hop, ownHop } from '../../hop.ts'
import type { Records } from '../../records.ts'
import { Refusal } from '../../refusal.ts'
import { Copy } from './copy.ts'
import type { FeedLog } from './feed-log.ts'
import { Known } from './known.ts'
import { readSets } from './read-sets.ts'
import { notLoaded, storeAway, withoutStore } from './refusals.ts'
import type { Replicas } from './replicas/index.ts'
import { names, type RevokedRecord, type Sets } from './sets.ts'
import { Stored } from './stored.ts'
import { Unstored } from './unstored.ts'

/** Longest wait for the store within one request. */
const STORE_MS = 8_000
/** A revocation already counts in memory and in the copy, so its caller does not wait as long. */
const REVOKE_MS = 3_000
/** One try to load: short, because a copy may be there to answer from. */
const LOAD_MS = 3_000
/** Within that the store has usually answered, and then the other instances need not store a revocation as well. */
const STORED_FIRST_MS = 200

/** The sets of auth with what makes them last: the store, the copy on disk, the other instances, and the feed that tells of changes. */
export class Ledger {
  readonly replicas: Replicas | undefined
  readonly #records: Records
  readonly #stored: Stored
  readonly #known: Known
  readonly #log: Log
  readonly #copy: Copy
  readonly #unstored: Unstored
  /** What the others told while the store was still to be read. */
  readonly #heard = new Set<string>()
  readonly #ending = new AbortController()
  #loaded: 'no' | 'copy' | 'replicas' | 'store' = 'no'
  #hadCopy = false
  #readStore = false
  #lastFailure = 'the store has not answered yet'

  constructor(o: { records: Records; stateFolder: string; log: Log; replicas?: Replicas }) {
    this.#records = o.records
    this.#stored = new Stored(o.records)
    this.#log = o.log
    this.replicas = o.replicas
    this.#known = new Known({ shared: o.replicas !== undefined })
    const content = () => ({ records: this.sets.entries(), pending: [...this.#unstored.names] })
    this.#copy = new Copy({ folder: o.stateFolder, log: o.log, content })
    const write = (name: string, atMostMs: number) => this.#storeRevocation(name, atMostMs)
    const kept = () => this.#copy.save()
    this.#unstored = new Unstored({ write, kept, signal: this.#ending.signal, log: o.log })
  }

  get sets(): Sets {
    return this.#known.sets
  }

  get feed(): FeedLog {
    return this.#known.feed
  }

  /**
   * Loads from the store, and goes on trying; while it is away from the copy, or without one from the other instances. `beforeUse` runs once the
   * store was read.
   */
  async start(beforeUse: () => Promise<void>): Promise<void> {
    await this.#readCopy()
    this.replicas?.start({
      takeIn: given => void this.takeIn(given),
      isSelf: boot => this.#known.history.isOwn(boot),
    })
    for (let tries = 0; !this.#ending.signal.aborted; tries++) {
      try {
        await this.#loadFromStore()
        await beforeUse()
        this.#loaded = 'store'
        await this.#copy.save()
        return await this.#unstored.storeAll(STORE_MS)
      } catch (thrown) {
        if (this.#ending.signal.aborted) return
        this.#lastFailure = reasonOf(thrown)
        if (this.#loaded === 'no') await this.#loadWithoutStore()
        this.#log.warn(
          { err: this.#lastFailure, from: this.#loaded },
          'the keys could not be loaded from the store',
        )
        await this.#pause(Math.min(100 * 2 ** tries, 1_000))
      }
    }
  }

  /** What is being stored is given until the deadline. */
  async stop(deadlineMs: number): Promise<void> {
    await this.#stored.settled(deadlineMs, this.#ending.signal)
    this.#ending.abort()
    this.replicas?.stop()
  }

  ready(): string[] {
    return this.#loaded === 'no' ? [`The keys are not loaded yet: ${this.#lastFailure}.`] : []
  }

  notes(): string[] {
    const notes = this.replicas?.notes() ?? []
    if (this.#loaded === 'copy' || this.#loaded === 'replicas') notes.push(withoutStore(this.#loaded))
    const { size } = this.#unstored.names
    if (size > 0) notes.push(`${size} revocations are not in the store yet; they already count.`)
    if (this.#copy.failed) notes.push(`The copy of the keys could not be written: ${this.#copy.failed}.`)
    return notes
  }

  /** Nothing is answered from sets that are not whole. */
  requireLoaded(): void {
    if (this.#loaded === 'no') throw notLoaded()
  }

  /**
   * Store, memory, copy, in this order, then the other instances: `missing` are those without it when no majority could be had. When the name is
   * taken, what is stored there is taken in.
   */
  async create(
    name: string,
    record: object,
    hop: Hop,
  ): Promise<{ outcome: 'created' | 'exists'; missing: string[] }> {
    if (!this.#readStore) throw storeAway(this.#lastFailure)
    try {
      const { outcome, record: there } = await this.#stored.create(name, record, this.#ownHop(STORE_MS, hop))
      this.#known.take(name, there)
      const [missing] = await Promise.all([this.#give(name), this.#copy.save()])
      return { outcome, missing }
    } catch (thrown) {
      if (thrown instanceof Refusal && thrown.status < 500 && thrown.status !== 499) throw thrown
      throw storeAway(reasonOf(thrown), thrown)
    }
  }

  /**
   * Counts at once, here and at a majority. Answers where it is not kept yet: while the store is away copies hold it, and it is stored as soon as that
   * is possible.
   */
  async revoke(record: RevokedRecord): Promise<string[]> {
    const name = names.revoked(record.id)
    if (this.#known.take(name, record)) this.#unstored.names.add(name)
    const storing = this.#unstored.store(name, REVOKE_MS)
    if (this.replicas) await Promise.race([storing, sleep(STORED_FIRST_MS)])
    const missing = await this.#give(name)
    const stored = await storing
    await this.#copy.save()
    if (stored) return missing
    if (this.#loaded === 'store') void this.#unstored.storeAll(STORE_MS)
    return ['store', ...(this.#copy.failed ? ['disk'] : []), ...missing]
  }

  /** Records of another instance. They count when it returns, and are in the copy when what it returns does. */
  takeIn({ records, unstored }: Given): Promise<void> {
    let news = false
    for (const { name, record } of records) {
      if (!this.#known.take(name, record)) continue
      news = true
      if (!this.#readStore) this.#heard.add(name)
      if (unstored.includes(name)) this.#unstored.names.add(name)
    }
    return this.#keep(news)
  }

  /** What another instance missed since then. */
  since(known: { boot?: string; after?: number }) {
    const { names: wanted, ...about } = this.#known.history.since(known)
    return { ...about, ...this.#given(wanted) }
  }

  async dropSigning(n: number): Promise<void> {
    await this.#stored.delete(names.signing(n), this.#ownHop(STORE_MS))
    this.#known.dropSigning(n)
    await this.#copy.save()
  }

  async #keep(news: boolean): Promise<void> {
    // Sets that are not whole make no copy that could be answered from.
    if (this.#loaded === 'no') return
    await (news ? this.#copy.save() : this.#copy.settled())
    if (this.#loaded === 'store') void this.#unstored.storeAll(STORE_MS)
  }

  async #loadFromStore(): Promise<void> {
    const sets = await readSets(this.#records, () => this.#ownHop(LOAD_MS))
    for (const name of [...this.#unstored.names, ...this.#heard]) {
      const known = this.sets.get(name)
      if (known) sets.add(name, known)
    }
    this.#heard.clear()
    this.#known.replace(sets)
    this.#readStore = true
  }

  /** Its revocations that are not in the store yet count in any case; the rest only while the store is away. */
  async #readCopy(): Promise<void> {
    try {
      const content = await this.#copy.read()
      for (const [name, record] of content?.records ?? []) this.#known.take(name, record)
      for (const name of content?.pending ?? []) this.#unstored.names.add(name)
      this.#hadCopy = content !== undefined
    } catch (thrown) {
      this.#log.error({ err: reasonOf(thrown) }, 'the copy of the keys cannot be used')
    }
  }

  /** Without signing keys it could check a key and then give no token. */
  async #loadWithoutStore(): Promise<void> {
    if (this.sets.signing.size === 0) return
    if (this.#hadCopy) this.#loaded = 'copy'
    else if (this.replicas?.heardEnough()) this.#loaded = 'replicas'
    // Without others the copy is all that there is.
    if (this.replicas && this.#loaded !== 'no') await this.#copy.save()
  }

  async #give(name: string): Promise<string[]> {
    return this.replicas?.give(this.#given([name])) ?? []
  }

  #given(wanted: string[]): Given {
    return {
      records: this.#known.given(wanted),
      unstored: wanted.filter(name => this.#unstored.names.has(name)),
    }
  }

  #pause(ms: number): Promise<void> {
    return sleep(ms, undefined, { signal: this.#ending.signal }).catch(() => undefined)
  }

  async #storeRevocation(name: string, atMostMs: number): Promise<void> {
    if (!this.#readStore) throw new Error(this.#lastFailure)
    const record = this.sets.get(name)
    if (!record) return
    this.#known.take(name, (await this.#stored.create(name, record, this.#ownHop(atMostMs))).record)
  }

  /** Auth acts for itself at the store: the user's token is not meant for it. A change goes on although its caller went away. */
  #ownHop(atMostMs: number, of?: Hop): Hop {
    const hop = ownHop(atMostMs, this.#ending.signal)
    return of ? { ...hop, requestId: of.requestId } : hop
  }
}
