import { PassThrough } from 'node:stream'

/**
 * A terminal's input as ink should get it: Backspace comes as BS in place of DEL, because ink gives DEL and the Delete key one name.
 * Marked pastes (bracketed paste) are the business of whoever paints.
 */
export class Keyboard extends PassThrough {
  readonly isTTY = true
  readonly #source: NodeJS.ReadStream
  readonly #take = (chunk: Buffer | string) => {
    this.write(Buffer.from(chunk).map(byte => (byte === 0x7f ? 0x08 : byte)))
  }
  readonly #stop = () => {
    this.end()
  }

  constructor(source: NodeJS.ReadStream) {
    super()
    this.#source = source
    source.on('data', this.#take)
    source.on('end', this.#stop)
  }

  setRawMode(on: boolean): this {
    this.#source.setRawMode(on)
    return this
  }

  ref(): this {
    this.#source.ref()
    return this
  }

  unref(): this {
    this.#source.unref()
    return this
  }

  /** Leaves the terminal's input to others. */
  detach(): void {
    this.#source.off('data', this.#take)
    this.#source.off('end', this.#stop)
    this.#source.pause()
  }
}
