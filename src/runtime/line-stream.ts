import { isStopping, isUnbegun, markUnsent } from './call-parts.ts'
import { offAbort, onAbort, type Stop } from './cancel.ts'
import { Lines } from './ndjson.ts'
import { refusalFrom } from './refusal.ts'

/** More lines than this unread: the sender has to wait. */
const MOST_WAITING = 256

/** How an exchange is told to stop or wait; undici's controller is one. */
interface Control {
  abort(reason: Error): void
  pause(): void
  resume(): void
}

/** What an answer of status 300 or more means. */
export type Refuses = (status: number, text: string, retryAfter?: string) => Error

/**
 * Takes one answer from undici as it arrives and hands it on line by line, without a stream between: this is on the way of every token.
 * An answer of status 300 or more becomes the error that `refusal` makes of it.
 */
export class LineStream<T> {
  readonly #lines = new Lines()
  readonly #refusal: Refuses
  readonly #stop: Stop | undefined
  readonly #gone = () => {
    const reason = this.#stop!.reason as Error
    // Without a connection yet there is nothing to cut; it is cut as soon as there is one.
    if (this.#control) this.#control.abort(reason)
    else this.#never(reason)
  }
  /** Settles when the first bytes of the answer are here; rejects when none will come. */
  readonly begun: Promise<this>
  #begin!: (self: this) => void
  #never!: (thrown: unknown) => void
  #control: Control | undefined
  #waiting: T[] = []
  #refused: { status: number; retryAfter?: string; text: Buffer[]; unbegun: boolean } | undefined
  #paused = false
  #ended = false
  #failure: unknown
  #wake: (() => void) | undefined

  constructor(stop?: Stop, refusal: Refuses = refusalFrom) {
    this.#stop = stop
    this.#refusal = refusal
    this.begun = new Promise((resolve, reject) => {
      this.#begin = resolve
      this.#never = reject
    })
    if (stop?.aborted) this.#never(stop.reason)
    else if (stop) onAbort(stop, this.#gone)
  }

  onRequestStart(control: Control): void {
    this.#control = control
    if (this.#stop?.aborted) this.#gone()
  }

  onResponseStart(
    _control: Control,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    const retryAfter = [headers['retry-after']].flat()[0]
    const unbegun = isStopping({ status, headers }) || isUnbegun({ status, headers })
    if (status >= 300) this.#refused = { status, retryAfter, text: [], unbegun }
    if (!unbegun) this.#begin(this)
  }

  onResponseData(control: Control, piece: Buffer): void {
    if (this.#refused) return void this.#refused.text.push(piece)
    try {
      for (const line of this.#lines.take(piece)) this.#waiting.push(line as T)
    } catch (thrown) {
      this.#fail(thrown)
      control.abort(thrown as Error)
    }
    if (this.#waiting.length > MOST_WAITING) {
      this.#paused = true
      control.pause()
    }
    this.#wake?.()
  }

  onResponseEnd(): void {
    const r = this.#refused
    if (r) {
      const refusal = this.#refusal(r.status, Buffer.concat(r.text).toString(), r.retryAfter)
      this.#fail(refusal)
      this.#never(r.unbegun ? markUnsent(refusal) : refusal)
    }
    this.#close()
  }

  onResponseError(_control: Control, thrown: Error): void {
    this.#fail(thrown)
    this.#never(thrown)
    this.#close()
  }

  /** The lines that came since the last call, in their order; undefined after the last. Whoever reads no further calls `leave`. */
  async take(): Promise<T[] | undefined> {
    if (this.#paused) this.#control?.resume()
    this.#paused = false
    while (this.#waiting.length === 0) {
      if (this.#failure !== undefined) throw this.#failure
      if (this.#ended) {
        this.#lines.end()
        return undefined
      }
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
    const lines = this.#waiting
    this.#waiting = []
    return lines
  }

  /** Before the last line it cuts the connection; after it the connection is kept for the next call. */
  leave(): void {
    if (!this.#ended && !this.#lines.over) this.#control?.abort(new Error('the reader left'))
  }

  #close(): void {
    this.#ended = true
    if (this.#stop) offAbort(this.#stop, this.#gone)
    this.#wake?.()
  }

  #fail(thrown: unknown): void {
    this.#failure ??= thrown
  }
}
