import type { Change } from '../index/kb-index.ts'

interface Waiting {
  change: Change
  done(): void
  failed(thrown: unknown): void
}

/** A commit of the index holds at most so many documents. */
const MOST_IN_BATCH = 500
/** Quiet time after the last write before the index is optimised, milliseconds. */
const QUIET_MS = 2000

/**
 * The one writer of a knowledge base's index: what comes while a commit runs goes into the next one together, and upkeep never runs beside a write.
 */
export class WriteQueue {
  readonly #apply: (changes: Change[]) => Promise<void>
  readonly #optimize: () => Promise<void>
  #waiting: Waiting[] = []
  #last: Promise<unknown> = Promise.resolve()
  #draining = false
  #timer?: NodeJS.Timeout

  constructor(o: { apply(changes: Change[]): Promise<void>; optimize(): Promise<void> }) {
    this.#apply = o.apply
    this.#optimize = o.optimize
  }

  /** Resolves when readers see the change. */
  write(change: Change): Promise<void> {
    const written = new Promise<void>((done, failed) => this.#waiting.push({ change, done, failed }))
    if (!this.#draining) {
      this.#draining = true
      this.alone(() => this.#drain())
    }
    return written
  }

  /** Runs `work` when no write runs, and lets none start before it ended. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#last.then(work)
    this.#last = next.catch(() => {})
    return next
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer)
    while (this.#draining) await this.#last
    clearTimeout(this.#timer)
    await this.#last
  }

  async #drain(): Promise<void> {
    clearTimeout(this.#timer)
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MOST_IN_BATCH)
      try {
        await this.#apply(batch.map(w => w.change))
        for (const w of batch) w.done()
      } catch (thrown) {
        for (const w of batch) w.failed(thrown)
      }
    }
    this.#draining = false
    this.#timer = setTimeout(() => void this.alone(this.#optimize), QUIET_MS)
    this.#timer.unref()
  }
}
