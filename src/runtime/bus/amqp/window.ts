/** At most so many unconfirmed messages at a time; the others wait in the order they came. */
export class Window {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(size: number) {
    this.#free = size
  }

  /** True: one place is taken, and `give` must follow. False: there was none within `ms`. */
  take(ms: number): Promise<boolean> {
    if (this.#free > 0) {
      this.#free--
      return Promise.resolve(true)
    }
    return new Promise(resolve => {
      const got = () => {
        clearTimeout(timer)
        resolve(true)
      }
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(got), 1)
        resolve(false)
      }, ms)
      this.#waiting.push(got)
    })
  }

  give(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#free++
  }
}
