import type { Route } from '../../contracts/route.ts'
import { Cancel, offAbort, onAbort, type Stop, stopOf } from '../cancel.ts'
import type { LocalCall } from '../here.ts'
import { type Hop, requestIdFrom } from '../hop.ts'
import { begin, callerLeft } from './arrival.ts'

/** One call from within the process, from its start until its handler has ended: what a connection is to a call from outside. */
export class Visit {
  readonly route: Route
  /** As the handler knows it: with a signal of its own. */
  readonly hop: Hop
  readonly began = performance.now()
  /** Settles when it was left. */
  readonly over: Promise<void>
  readonly #gone = new Cancel()
  readonly #caller: Stop
  readonly #stop: () => void
  readonly #end: () => void
  readonly #onAbort = () => this.cut(this.#caller.reason)
  #reject: ((reason: unknown) => void) | undefined
  #cut: { reason: unknown } | undefined
  #left = false

  /** Throws a Refusal (504) when the caller's deadline has passed. */
  constructor(route: Route, { caller, hop: given }: LocalCall, ended: () => void) {
    this.route = route
    this.#caller = stopOf(given)
    const { requestId, deadline, token, attempt } = given
    const asked = { requestId: requestIdFrom(requestId), deadline, token, caller, attempt }
    const { hop, stop } = begin(route, asked, this.#gone)
    this.hop = hop
    this.#stop = stop
    let end!: () => void
    this.over = new Promise(resolve => {
      end = resolve
    })
    this.#end = () => {
      ended()
      end()
    }
    if (this.#caller.aborted) this.#onAbort()
    else onAbort(this.#caller, this.#onAbort)
  }

  /** The caller does not wait any more, or may not: it has its reason instead of an answer. */
  get isCut(): boolean {
    return this.#cut !== undefined
  }

  cut(reason: unknown): void {
    if (this.#left || this.#cut) return
    this.#cut = { reason }
    this.#gone.abort(callerLeft())
    this.#reject?.(reason)
  }

  /** What `wait` settles with, or at once why the call was cut. */
  unlessCut<T>(wait: (resolve: (value: T) => void, reject: (thrown: unknown) => void) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#cut) return reject(this.#cut.reason)
      this.#reject = reject
      wait(resolve, reject)
    })
  }

  /** The caller wants no more although there is more. */
  abandon(): void {
    this.#gone.abort(callerLeft())
  }

  /** Safe to call again. */
  leave(): void {
    if (this.#left) return
    this.#left = true
    this.#stop()
    offAbort(this.#caller, this.#onAbort)
    this.#end()
  }
}
