import type { Readable } from 'node:stream'
import { reasonOf } from '../../../../errors.ts'
import { Refusal } from '../../../refusal.ts'
import { type Far, type ObjectStore, type Page, StoreAway } from './store.ts'

/** Longer than a store that is well takes for any record. */
const SLOW_MS = 10_000
const PROBE_EVERY_MS = 5_000
/** No such record: a store that is well says so in milliseconds. */
const PROBED = 'auth/probe'

/** A store that also says whether it answers. While it does not, it is asked now and then, so that the note goes when it is back. */
export class WatchedStore implements ObjectStore {
  readonly far: Far | undefined
  readonly #store: ObjectStore
  readonly #running = new Set<{ since: number }>()
  readonly #timer: NodeJS.Timeout
  #failing?: { since: number; why: string }
  #probing = false

  constructor(store: ObjectStore) {
    this.#store = store
    this.far = store.far && this.#watched(store.far)
    this.#timer = setInterval(() => void this.#probe(), PROBE_EVERY_MS)
    this.#timer.unref()
  }

  /** What an operator should know. */
  notes(): string[] {
    if (this.#failing)
      return [`The store has not answered since ${time(this.#failing.since)}: ${this.#failing.why}`]
    const oldest = Math.min(...[...this.#running].map(r => r.since))
    return Date.now() - oldest > SLOW_MS ? [`The store is slow: a call waits since ${time(oldest)}.`] : []
  }

  create(name: string, record: Buffer, writer: string) {
    return this.#watch(() => this.#store.create(name, record, writer))
  }

  get(name: string) {
    return this.#watch(() => this.#store.get(name))
  }

  list(prefix: string, o: Page) {
    return this.#watch(() => this.#store.list(prefix, o))
  }

  delete(name: string) {
    return this.#watch(() => this.#store.delete(name))
  }

  /** As slow as whoever sends it. */
  async putBlob(body: Readable, as?: string) {
    const put = await this.#store.putBlob(body, as).catch(thrown => this.#failed(thrown))
    this.#failing = undefined
    return put
  }

  getBlob(blob: string, range?: { from: number; to: number }) {
    return this.#watch(() => this.#store.getBlob(blob, range))
  }

  deleteBlob(blob: string) {
    return this.#watch(() => this.#store.deleteBlob(blob))
  }

  listBlobs(o: { after?: string; limit: number }) {
    return this.#watch(() => this.#store.listBlobs(o))
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#store.close()
  }

  #watched(far: Far): Far {
    return {
      inlineBytes: far.inlineBytes,
      read: (name, most) => this.#watch(() => far.read(name, most)),
      open: name => this.#watch(() => far.open(name)),
      mark: (name, mark) => this.#watch(() => far.mark(name, mark)),
    }
  }

  async #watch<T>(act: () => Promise<T>): Promise<T> {
    const run = { since: Date.now() }
    this.#running.add(run)
    try {
      const value = await act()
      this.#failing = undefined
      return value
    } catch (thrown) {
      return this.#failed(thrown)
    } finally {
      this.#running.delete(run)
    }
  }

  #failed(thrown: unknown): never {
    if (thrown instanceof StoreAway)
      this.#failing = { since: this.#failing?.since ?? Date.now(), why: whyOf(thrown) }
    throw thrown
  }

  async #probe(): Promise<void> {
    if (this.#probing || !this.#failing) return
    this.#probing = true
    await this.get(PROBED).catch(() => undefined)
    this.#probing = false
  }
}

const whyOf = (thrown: unknown) => (thrown instanceof Refusal ? thrown.message : reasonOf(thrown))
const time = (ms: number) => new Date(ms).toISOString()
