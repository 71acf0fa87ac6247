/** At most so many at a time; the others wait in order. */
export class Gate {
  #free: number
  #limit: number
  readonly #waiting: (() => void)[] = []

  constructor(limit: number) {
    this.#limit = limit
    this.#free = limit
  }

  get inside(): number {
    return this.#limit - this.#free
  }

  async through<T>(run: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>(resolve => this.#waiting.push(resolve))
    try {
      return await run()
    } finally {
      this.#leave()
    }
  }

  /** Never again more than this many; those inside stay. */
  narrow(limit: number): void {
    const less = this.#limit - Math.max(1, limit)
    if (less <= 0) return
    this.#limit -= less
    this.#free -= less
  }

  #leave(): void {
    this.#free++
    if (this.#free <= 0) return
    const next = this.#waiting.shift()
    if (!next) return
    this.#free--
    next()
  }
}
