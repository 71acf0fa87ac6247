import type { ObjectStore } from '../store/store.ts'
import { changesOf, numberOf } from './names.ts'
import { createVersion, purge } from './records.ts'

/** So many entries stay. Whoever is further behind compares everything. */
const KEPT = 4096
const PURGE_EVERY = 256
/** Entries that may come while those before them are listed. */
const SPARE = 16
/** Who was frozen for so long between reading the newest number and taking the next one looks again. */
const SLEPT_MS = 60_000

/** A document and the content that it was given; '' where it was removed. */
export interface Changed {
  id: string
  version: string
}

interface Waiting {
  changed: Changed
  done(): void
  failed(thrown: unknown): void
}

/**
 * Which documents of a knowledge base changed, in order, for the other instances of the data service: one record tells of all that
 * waited. An entry comes after the change it tells of and before its acknowledgement, so what was acknowledged is never missed.
 */
export class Changes {
  readonly #store: ObjectStore
  readonly #prefix: string
  #waiting: Waiting[] = []
  #writing = false

  constructor(store: ObjectStore, kb: string) {
    this.#store = store
    this.#prefix = changesOf(kb)
  }

  /** The number of the newest entry. */
  async head(): Promise<number> {
    const [first] = await this.#store.list(this.#prefix, { limit: 1 })
    return first ? numberOf(first.name) : 0
  }

  /** Durable when it returns. */
  say(changed: Changed): Promise<void> {
    const said = new Promise<void>((done, failed) => this.#waiting.push({ changed, done, failed }))
    if (!this.#writing) void this.#write()
    return said
  }

  /** What changed after entry `n`; undefined when entries since then are gone. */
  async since(n: number): Promise<{ head: number; changes: Changed[] } | undefined> {
    for (;;) {
      const behind = (await this.head()) - n
      if (behind === 0) return { head: n, changes: [] }
      if (behind < 0 || behind > KEPT) return undefined
      const limit = behind + SPARE
      const found = await this.#store.list(this.#prefix, { limit, values: true })
      const numbers = found.map(f => numberOf(f.name))
      const later = found.filter((_, i) => numbers[i]! > n)
      if (numbers.length > 0 && numbers.at(-1)! <= n + 1)
        return {
          head: numbers[0]!,
          changes: later.flatMap(f => JSON.parse(f.value!.toString()) as Changed[]),
        }
      // A full page was filled by entries that came meanwhile.
      if (found.length < limit) return undefined
    }
  }

  async #write(): Promise<void> {
    this.#writing = true
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0)
      try {
        await this.#append(batch.map(w => w.changed))
        for (const w of batch) w.done()
      } catch (thrown) {
        for (const w of batch) w.failed(thrown)
      }
    }
    this.#writing = false
  }

  async #append(changes: Changed[]): Promise<void> {
    for (;;) {
      const looked = Date.now()
      const n = (await this.head()) + 1
      if (!(await createVersion(this.#store, this.#prefix, n, changes))) continue
      // A number this old may have been free only because it was purged: then nobody reads it any more.
      if (Date.now() - looked > SLEPT_MS && (await this.head()) !== n) continue
      if (n % PURGE_EVERY === 0) await purge(this.#store, this.#prefix, n - KEPT)
      return
    }
  }
}
