import { offAbort, onAbort, type Stop } from '../../cancel.ts'
import type { Candidate } from './workers.ts'

export type Class = 'interactive' | 'task'

/** Who asks for a worker. */
export interface Request {
  user: string
  class: Class
  /** Tokens that it is thought to take. */
  cost: number
  candidates: Candidate[]
  stop: Stop
  arrival: Arrival
}

/** A request that a worker gave back keeps its place and its patience. */
export interface Arrival {
  rank: number
  /** On the monotonic clock. */
  at: number
}

/** One request on its way to a worker: it waits, is sent and leaves, and is counted in exactly one of these. */
export class Ticket {
  readonly request: Request
  /** Among those that wait. */
  readonly key: string
  /** Where it may be sent; undefined while it waits. */
  worker: Candidate | undefined
  /** Since when none of its workers is up. */
  downSince: number | undefined
  readonly #left: (ticket: Ticket, tokens: number | undefined) => void
  #unlink = () => {}
  #release = () => {}
  #refused: { reason: unknown } | undefined
  #position = 0
  #wake: (() => void) | undefined
  #over = false

  constructor(request: Request, left: (ticket: Ticket, tokens: number | undefined) => void) {
    this.request = request
    this.key = String(request.arrival.rank).padStart(16, '0')
    this.#left = left
  }

  /** Its place in the line each time that it changes, until it may be sent; throws when it never will. */
  async *wait(): AsyncGenerator<number> {
    let said = 0
    for (;;) {
      if (this.#refused) throw this.#refused.reason
      if (this.worker) return
      if (this.#position === said) {
        await new Promise<void>(resolve => {
          this.#wake = resolve
        })
      } else {
        said = this.#position
        yield said
      }
    }
  }

  /** From here on it waits, and whoever ends the request takes it out. */
  queued(): void {
    const abort = () => this.refuse(this.request.stop.reason)
    onAbort(this.request.stop, abort)
    this.#unlink = () => offAbort(this.request.stop, abort)
  }

  at(position: number): void {
    this.#position = position
    this.#stir()
  }

  send(to: Candidate, release: () => void): void {
    this.#unlink()
    this.worker = to
    this.#release = release
    this.#stir()
  }

  refuse(reason: unknown): void {
    this.#refused = { reason }
    this.leave()
    this.#stir()
  }

  /** `tokens`: what it really took. Safe to call again. */
  leave(tokens?: number): void {
    if (this.#over) return
    this.#over = true
    this.#unlink()
    this.#release()
    this.#left(this, tokens)
  }

  #stir(): void {
    this.#wake?.()
    this.#wake = undefined
  }
}
