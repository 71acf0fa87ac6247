import { setTimeout as sleep } from 'node:timers/promises'
import type { Verifier } from '../../identity/verifier.ts'
import { Refusal } from '../../refusal.ts'

/** The requests that are under way, by key: a revoked key's end at once, all end when the gateway stops. */
export class OpenStreams {
  readonly #open = new Map<string, Set<Aborts>>()

  constructor(verifier: Pick<Verifier, 'onChange'>) {
    verifier.onChange((_changed, revoked) => {
      for (const key of revoked) this.#end(key, new Refusal(401, 'revoked', 'The key was revoked.'))
    })
  }

  /** Counts one request of that key, to be aborted by its controller, until the returned function is called. */
  begin(key: string, controller: Aborts): () => void {
    const ofKey = this.#open.get(key) ?? new Set()
    this.#open.set(key, ofKey.add(controller))
    return () => {
      ofKey.delete(controller)
      // Another set may have taken its place in the meantime.
      if (ofKey.size === 0 && this.#open.get(key) === ofKey) this.#open.delete(key)
    }
  }

  get size(): number {
    return [...this.#open.values()].reduce((n, set) => n + set.size, 0)
  }

  /** Waits for those that run; past the deadline they end with an error frame. */
  async drain(deadlineMs: number): Promise<void> {
    const end = performance.now() + deadlineMs
    while (this.size > 0 && performance.now() < end) await sleep(20)
    for (const key of this.#open.keys())
      this.#end(key, new Refusal(503, 'stopping', 'The gateway is stopping.', { retryAfterSeconds: 2 }))
  }

  #end(key: string, why: Refusal): void {
    for (const controller of this.#open.get(key) ?? []) controller.abort(why)
  }
}

interface Aborts {
  abort(reason: unknown): void
}
