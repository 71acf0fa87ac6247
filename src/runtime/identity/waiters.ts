/** Those who wait for the next answer, whatever it says. */
export class Waiters {
  readonly #waiting = new Set<() => void>()

  /** Returns at the next `wake`, or when the time is over. */
  next(atMostMs: number): Promise<void> {
    return new Promise(resolve => {
      const done = () => {
        clearTimeout(timer)
        this.#waiting.delete(done)
        resolve()
      }
      const timer = setTimeout(done, atMostMs)
      this.#waiting.add(done)
    })
  }

  wake(): void {
    for (const done of [...this.#waiting]) done()
  }
}
