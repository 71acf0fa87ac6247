const LOOK_MS = 1_000

/** Watches a machine while answers of it are waited for: after a second without any it has to take a new connection, else it counts as lost. */
export class Pulse {
  readonly #reach: () => Promise<void>
  readonly #lost: (thrown: unknown) => void
  #owed = 0
  #heard = false
  #timer: NodeJS.Timeout | undefined
  #looking = false

  constructor(o: { reach(): Promise<void>; lost(thrown: unknown): void }) {
    this.#reach = o.reach
    this.#lost = o.lost
  }

  /** `wait` settles when an answer has begun. */
  async during<T>(wait: () => Promise<T>): Promise<T> {
    this.#owed++
    if (!this.#timer) this.#start()
    try {
      const answer = await wait()
      this.#heard = true
      return answer
    } finally {
      this.#owed--
    }
  }

  #start(): void {
    this.#heard = false
    this.#timer = setInterval(() => void this.#look(), LOOK_MS).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  async #look(): Promise<void> {
    if (this.#looking) return
    if (this.#owed === 0) return this.stop()
    if (this.#heard) {
      this.#heard = false
      return
    }
    this.#looking = true
    try {
      await this.#reach()
    } catch (thrown) {
      if (this.#owed > 0 && !this.#heard) this.#lost(thrown)
    } finally {
      this.#looking = false
    }
  }
}
