/** Runs one change after the other, so that none is decided on sets that another is about to change. */
export class Serial {
  #turn: Promise<unknown> = Promise.resolve()

  run<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(act)
    this.#turn = done.catch(() => undefined)
    return done
  }
}
