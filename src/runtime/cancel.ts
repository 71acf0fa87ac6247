import { setMaxListeners } from 'node:events'

/** What a request is ended early by. */
export type Stop = Cancel | AbortSignal

/**
 * Ends one request early, as an AbortController does. Node's own signals and their listeners cost a tenth of a whole answer, so the parts of
 * its way that run for each request listen here, and a signal is made only for who asks for one.
 */
export class Cancel {
  #aborted: { reason: unknown } | undefined
  #listeners: (() => void)[] = []
  #controller: AbortController | undefined

  get aborted(): boolean {
    return this.#aborted !== undefined
  }

  get reason(): unknown {
    return this.#aborted?.reason
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController()
      if (this.#aborted) this.#controller.abort(this.#aborted.reason)
    }
    return this.#controller.signal
  }

  throwIfAborted(): void {
    if (this.#aborted) throw this.#aborted.reason
  }

  /** Only the first one counts. */
  abort(reason: unknown): void {
    if (this.#aborted) return
    this.#aborted = { reason }
    const listeners = this.#listeners
    this.#listeners = []
    for (const listener of listeners) listener()
    this.#controller?.abort(reason)
  }

  /** For `onAbort` and `offAbort`. */
  add(listener: () => void): void {
    this.#listeners.push(listener)
  }

  remove(listener: () => void): void {
    const at = this.#listeners.indexOf(listener)
    if (at >= 0) this.#listeners.splice(at, 1)
  }
}

/** How a request is ended, as those who work on it get to know: by a signal, and where there is one, by what costs less. */
export interface Ends {
  signal: AbortSignal
  cancel?: Cancel
}

/** What to listen to. */
export const stopOf = (of: Ends): Stop => of.cancel ?? of.signal

/** The same as part of something else. */
export const endsOf = (of: Ends): Partial<Ends> => (of.cancel ? { cancel: of.cancel } : { signal: of.signal })

/** Calls `listener` once when the request is ended; never when it was already. */
export function onAbort(stop: Stop, listener: () => void): void {
  if (stop instanceof Cancel) {
    stop.add(listener)
    return
  }
  // What many calls share, such as the end of a service, is no leak; Node would warn of it.
  setMaxListeners(0, stop)
  stop.addEventListener('abort', listener, { once: true })
}

export function offAbort(stop: Stop, listener: () => void): void {
  if (stop instanceof Cancel) stop.remove(listener)
  else stop.removeEventListener('abort', listener)
}

/** For what knows signals alone. */
export const signalOf = (of: Partial<Ends>): AbortSignal | undefined => of.signal ?? of.cancel?.signal
