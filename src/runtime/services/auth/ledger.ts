import { setTimeout as sleep } from 'node:timers/promises'
import { reasonOf } from '../../../errors.ts'
import type { Log } from '../../../log.ts'
import { type Hop, ownHop } from '../../hop.ts'
import type { Records } from '../../records.ts'
import { Refusal } from '../../refusal.ts'
import { Copy } from './copy.ts'
import { FeedLog } from './feed-log.ts'
import { readSets } from './read-sets.ts'
import { names, type RevokedRecord, Sets } from './sets.ts'

/** Longest wait for the store within one request. */
const STORE_MS = 8_000
/** A revocation already counts in memory and in the copy, so its caller does not wait as long. */
const REVOKE_MS = 3_000
/** One try to load: short, because a copy may be there to answer from. */
const LOAD_MS = 3_000

/** The sets of auth with what makes them last: the store, the copy on disk, and the feed that tells of changes. */
export class Ledger {
  sets = new Sets()
  readonly feed = new FeedLog()
  readonly #records: Records
  readonly #log: Log
  readonly #copy: Copy
  readonly #pending = new Set<string>()
  readonly #ending = new AbortController()
  #loaded: 'no' | 'copy' | 'store' = 'no'
  #readStore = false
  #storing = false
  #copyFailed: string | undefined
  #lastFailure = 'the store has not answered yet'
  #turn: Promise<unknown> = Promise.resolve()
  readonly #writes = new Set<Promise<unknown>>()

  constructor(o: { records: Records; stateFolder: string; log: Log }) {
    this.#records = o.records
    this.#log = o.log
    this.#copy = new Copy(o.stateFolder, () => ({
      records: this.sets.entries(),
      pending: [...this.#pending],
    }))
  }

  /** Loads from the store, from the copy while the store is away, and goes on trying. `beforeUse` runs once the store was read. */
  async start(beforeUse: () => Promise<void>): Promise<void> {
    await this.#readCopy()
    for (let tries = 0; !this.#ending.signal.aborted; tries++) {
      try {
        await this.#loadFromStore()
        await beforeUse()
        this.#loaded = 'store'
        await this.#saveCopy()
        return await this.#storePending()
      } catch (thrown) {
        if (this.#ending.signal.aborted) return
        this.#lastFailure = reasonOf(thrown)
        // Without signing keys it could check a key and then give no token.
        if (this.#loaded === 'no' && this.sets.signing.size > 0) this.#loaded = 'copy'
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
    const pause = sleep(deadlineMs, undefined, { ref: false, signal: this.#ending.signal }).catch(
      () => undefined,
    )
    await Promise.race([Promise.allSettled([...this.#writes]), pause])
    this.#ending.abort()
  }

  ready(): string[] {
    return this.#loaded === 'no' ? [`The keys are not loaded yet: ${this.#lastFailure}.`] : []
  }

  notes(): string[] {
    const notes: string[] = []
    if (this.#loaded === 'copy')
      notes.push(
        'The store is away: keys are checked by the last copy on disk, new keys and users are refused.',
      )
    if (this.#pending.size > 0)
      notes.push(`${this.#pending.size} revocations are not in the store yet; they already count.`)
    if (this.#copyFailed) notes.push(`The copy of the keys could not be written: ${this.#copyFailed}.`)
    return notes
  }

  /** Nothing is answered from sets that are not whole. */
  requireLoaded(): void {
    if (this.#loaded === 'no')
      throw new Refusal(503, 'loading', 'The keys are not loaded yet.', {
        next: 'Try again in a moment.',
        retryAfterSeconds: 1,
      })
  }

  /** Runs one change after the other, so that none is decided on sets that another is about to change. */
  exclusive<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(act)
    this.#turn = done.catch(() => undefined)
    return done
  }

  /** Store, memory, copy, in this order. When the name is taken, what is stored there is taken in. */
  async create(name: string, record: object, hop: Hop): Promise<'created' | 'exists'> {
    if (!this.#readStore) throw storeAway(this.#lastFailure)
    const own = this.#ownHop(STORE_MS, hop)
    try {
      const outcome = await this.#put(name, record, own)
      this.sets.add(name, outcome === 'created' ? record : await this.#stored(name, own))
      await this.#saveCopy()
      return outcome
    } catch (thrown) {
      if (thrown instanceof Refusal && thrown.status < 500 && thrown.status !== 499) throw thrown
      throw storeAway(reasonOf(thrown), thrown)
    }
  }

  /** Counts at once. Answers where it is not yet kept: while the store is away the copy holds it, and it is stored as soon as that is possible. */
  async revoke(record: RevokedRecord, hop: Hop): Promise<('store' | 'disk')[]> {
    const name = names.revoked(record.id)
    this.sets.add(name, record)
    this.feed.revoked([record.id])
    this.#pending.add(name)
    const stored = await this.#storeRevocation(name, record, this.#ownHop(REVOKE_MS, hop))
    await this.#saveCopy()
    if (stored) return []
    if (this.#loaded === 'store') void this.#storePending()
    return this.#copyFailed ? ['store', 'disk'] : ['store']
  }

  async dropSigning(n: number): Promise<void> {
    await this.#records.delete(names.signing(n), this.#ownHop(STORE_MS))
    this.sets.dropSigning(n)
    await this.#saveCopy()
  }

  async #loadFromStore(): Promise<void> {
    const sets = await readSets(this.#records, () => this.#ownHop(LOAD_MS))
    for (const name of this.#pending) {
      const revoked = this.sets.revoked.get(idIn(name))
      if (revoked) sets.add(name, revoked)
    }
    this.sets = sets
    this.#readStore = true
    this.feed.restart()
  }

  /** Its revocations that are not in the store yet count in any case; the rest only while the store is away. */
  async #readCopy(): Promise<void> {
    try {
      const content = await this.#copy.read()
      for (const [name, record] of content?.records ?? []) this.sets.add(name, record)
      for (const name of content?.pending ?? []) this.#pending.add(name)
    } catch (thrown) {
      this.#log.error({ err: reasonOf(thrown) }, 'the copy of the keys cannot be used')
    }
  }

  async #storePending(): Promise<void> {
    if (this.#storing) return
    this.#storing = true
    while (this.#pending.size > 0 && !this.#ending.signal.aborted) {
      for (const name of [...this.#pending]) {
        const record = this.sets.revoked.get(idIn(name))
        if (!record) this.#pending.delete(name)
        else if (!(await this.#storeRevocation(name, record, this.#ownHop(STORE_MS)))) break
      }
      await this.#saveCopy()
      if (this.#pending.size > 0) await this.#pause(1_000)
    }
    this.#storing = false
  }

  #pause(ms: number): Promise<void> {
    return sleep(ms, undefined, { signal: this.#ending.signal }).catch(() => undefined)
  }

  async #storeRevocation(name: string, record: RevokedRecord, hop: Hop): Promise<boolean> {
    if (!this.#readStore) return false
    try {
      await this.#put(name, record, hop)
      this.#pending.delete(name)
      return true
    } catch (thrown) {
      this.#log.warn({ key: record.id, err: reasonOf(thrown) }, 'a revocation is not in the store yet')
      return false
    }
  }

  #put(name: string, record: object, hop: Hop): Promise<'created' | 'exists'> {
    const write = this.#records.create(name, record, hop)
    this.#writes.add(write)
    return write.finally(() => this.#writes.delete(write))
  }

  async #stored(name: string, hop: Hop): Promise<unknown> {
    const bytes = await this.#records.get(name, hop)
    if (!bytes) throw new Error(`the record ${name} is there and cannot be read`)
    return JSON.parse(bytes.toString())
  }

  async #saveCopy(): Promise<void> {
    try {
      await this.#copy.save()
      this.#copyFailed = undefined
    } catch (thrown) {
      this.#copyFailed = reasonOf(thrown)
      this.#log.error({ err: this.#copyFailed }, 'the copy of the keys could not be written')
    }
  }

  /** Auth acts for itself at the store: the user's token is not meant for it. A change goes on although its caller went away. */
  #ownHop(atMostMs: number, of?: Hop): Hop {
    const hop = ownHop(atMostMs, this.#ending.signal)
    return of ? { ...hop, requestId: of.requestId } : hop
  }
}

const idIn = (name: string) => name.split('/')[2]!

const storeAway = (why: string, cause?: unknown) =>
  new Refusal(503, 'store_away', `The store is away, so nothing new can be kept: ${why}.`, {
    next: 'Try again in a moment; `llmagentos cluster status` says what is down.',
    retryAfterSeconds: 2,
    cause,
  })
