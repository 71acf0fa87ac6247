import { once } from 'node:events'
import type { ServerResponse } from 'node:http'

/** More than this is sent at once, whatever may follow. */
const FULL_CHARS = 64 * 1024

/** The text of a streamed response. What is put in within one turn of the event loop leaves as one write: a system call costs more than a token. */
export class Outbox {
  readonly #out: ServerResponse
  #text = ''
  #turn: NodeJS.Immediate | undefined

  constructor(out: ServerResponse) {
    this.#out = out
  }

  /** Waits only while the reader is behind. */
  put(text: string): Promise<void> | undefined {
    this.#text += text
    if (this.#text.length >= FULL_CHARS) this.#send()
    else this.#turn ??= setImmediate(() => this.#send())
    return this.#out.writableNeedDrain ? this.#drained() : undefined
  }

  /** Sends what is left and ends the response as complete. */
  end(text = ''): void {
    clearImmediate(this.#turn)
    this.#out.end(this.#text + text)
    this.#text = ''
  }

  /** Sends what is left and then cuts the connection, so that nobody takes the response for complete. */
  cut(text: string, afterMs: number): void {
    this.#text += text
    this.#send()
    setTimeout(() => this.#out.destroy(), afterMs).unref()
  }

  #send(): void {
    clearImmediate(this.#turn)
    this.#turn = undefined
    if (this.#text && !this.#out.destroyed) this.#out.write(this.#text)
    this.#text = ''
  }

  async #drained(): Promise<void> {
    const either = new AbortController()
    const { signal } = either
    const ended = () => undefined
    await Promise.race([
      once(this.#out, 'drain', { signal }).catch(ended),
      once(this.#out, 'close', { signal }).catch(ended),
    ])
    either.abort()
  }
}
