const EVERY_MS = 5_000

/** Says now and then how far it is. */
export class Tick {
  readonly #say: (line: string) => void
  #saidAt = performance.now()

  constructor(say: (line: string) => void) {
    this.#say = say
  }

  of(what: string): (bytes: number) => void {
    let count = 0
    let bytes = 0
    return more => {
      count++
      bytes += more
      if (performance.now() - this.#saidAt < EVERY_MS) return
      this.#saidAt = performance.now()
      this.#say(`${count} ${what}, ${Math.round(bytes / 1024 / 1024)} MiB`)
    }
  }
}
