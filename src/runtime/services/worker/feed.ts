import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { STREAM_BEAT_MS } from '../../../contracts/hop.ts'
import type { WorkerState } from '../../../contracts/worker.ts'
import { behind } from '../../behind.ts'

/** Under load the state changes thousands of times a second; nobody needs it more often than this. */
const SHORTEST_MS = 20

/** Tells whoever listens how the worker is: at once, on every change, and each second. */
export class StateFeed {
  /** Another one after each start, so that a listener knows a restart from a pause. */
  readonly boot = randomBytes(8).toString('hex')
  readonly #wakers = new Set<() => void>()
  #seq = 0
  #version = 0
  #telling = false
  #closed = false

  changed(): void {
    this.#version++
    if (this.#telling) return
    this.#telling = true
    behind(() => {
      this.#telling = false
      for (const wake of [...this.#wakers]) wake()
    })
  }

  /** What `look` sees, each time. Ends when `signal` fires or the feed is closed. */
  async *states(
    look: () => Omit<WorkerState, 'boot' | 'seq'>,
    signal: AbortSignal,
  ): AsyncGenerator<WorkerState> {
    while (!signal.aborted && !this.#closed) {
      const seen = this.#version
      const since = performance.now()
      yield { ...look(), boot: this.boot, seq: ++this.#seq }
      if (this.#version === seen) await this.#next(signal)
      const left = SHORTEST_MS - (performance.now() - since)
      if (left > 0 && !this.#closed) await sleep(left)
    }
  }

  close(): void {
    this.#closed = true
    this.changed()
  }

  #next(signal: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      const wake = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', wake)
        this.#wakers.delete(wake)
        resolve()
      }
      const timer = setTimeout(wake, STREAM_BEAT_MS)
      signal.addEventListener('abort', wake)
      this.#wakers.add(wake)
    })
  }
}
