import { setTimeout as sleep } from 'node:timers/promises'
import { reasonOf } from '../../../errors.ts'
import type { Log } from '../../../log.ts'

const PAUSE_MS = 1_000

/** Names of revocations that the store does not hold yet. They count all the same, and are stored as soon as that is possible. */
export class Unstored {
  readonly names = new Set<string>()
  readonly #write: (name: string, atMostMs: number) => Promise<void>
  readonly #kept: () => Promise<void>
  readonly #signal: AbortSignal
  readonly #log: Log
  #running = false

  /** `write` puts one into the store, `kept` puts what is still to do on the disk. */
  constructor(o: {
    write(name: string, atMostMs: number): Promise<void>
    kept(): Promise<void>
    signal: AbortSignal
    log: Log
  }) {
    this.#write = o.write
    this.#kept = o.kept
    this.#signal = o.signal
    this.#log = o.log
  }

  /** Whether the store holds it now. */
  async store(name: string, atMostMs: number): Promise<boolean> {
    if (!this.names.has(name)) return true
    try {
      await this.#write(name, atMostMs)
      this.names.delete(name)
      return true
    } catch (thrown) {
      this.#log.warn({ record: name, err: reasonOf(thrown) }, 'a revocation is not in the store yet')
      return false
    }
  }

  /** Goes on until the store holds them all. */
  async storeAll(atMostMs: number): Promise<void> {
    if (this.#running || this.names.size === 0) return
    this.#running = true
    while (this.names.size > 0 && !this.#signal.aborted) {
      for (const name of [...this.names]) if (!(await this.store(name, atMostMs))) break
      await this.#kept()
      if (this.names.size > 0)
        await sleep(PAUSE_MS, undefined, { signal: this.#signal }).catch(() => undefined)
    }
    this.#running = false
  }
}
