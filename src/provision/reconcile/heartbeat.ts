import { anySignal } from '../../any-signal.ts'
import { EXIT, Failure } from '../../errors.ts'
import type { Connection } from '../connections/connection.ts'
import { ask } from './lease.ts'
import { LEASE_SECONDS } from './programs/lock.ts'

const EVERY_MS = 10_000
/** Below the lease itself by what clocks and the start of a step may need. */
const LOST_MS = (LEASE_SECONDS - 10) * 1000

/**
 * Keeps the leases of one lock alive; `signal` aborts when a majority has not been renewed for 40 s. No beat waits for the one before: a
 * busy control node may need half a minute for an answer, and as long as each comes in time nothing is lost.
 */
export class Heartbeat {
  readonly #lost = new AbortController()
  readonly #stopping = new AbortController()
  readonly #o: { id: string; majority: number }
  /** When each lease was last asked to be renewed, and was; by the monotonic clock. */
  readonly #renewed: Map<Connection, number>
  /** When the newest question was asked that was answered: answers may come in another order. */
  readonly #heard = new Map<Connection, number>()
  readonly #beats = new Set<Promise<void>>()
  readonly #timers: NodeJS.Timeout[]
  #says = 'the control nodes did not confirm it in time'

  constructor(held: Map<Connection, number>, o: { id: string; majority: number }) {
    this.#o = o
    this.#renewed = new Map(held)
    this.#timers = [
      setInterval(() => this.#beat(), EVERY_MS).unref(),
      setInterval(() => this.#judge(), 1_000).unref(),
    ]
  }

  get signal(): AbortSignal {
    return this.#lost.signal
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    this.#stopping.abort()
    await Promise.all(this.#beats)
  }

  #beat(): void {
    for (const on of this.#renewed.keys()) {
      const beat = this.#renew(on).finally(() => this.#beats.delete(beat))
      this.#beats.add(beat)
    }
  }

  async #renew(on: Connection): Promise<void> {
    const asked = performance.now()
    try {
      const signal = anySignal([this.#stopping.signal, AbortSignal.timeout(LOST_MS)])
      const told = await ask(on, { verb: 'renew', id: this.#o.id }, { signal, deadlineMs: LOST_MS })
      if (asked < (this.#heard.get(on) ?? 0)) return
      this.#heard.set(on, asked)
      if (told.is === 'ours') this.#renewed.set(on, asked)
      else this.#renewed.set(on, Number.NEGATIVE_INFINITY)
      if (told.is === 'theirs') this.#says = `${told.holder.who} took it: ${told.holder.doing}`
      if (told.is === 'free') this.#says = 'it was released by hand, or another run had it meanwhile'
      this.#judge()
    } catch {
      // Whether it matters, the next judgement tells.
    }
  }

  #judge(): void {
    const now = performance.now()
    const fresh = [...this.#renewed.values()].filter(at => now - at < LOST_MS)
    if (fresh.length >= this.#o.majority || this.#stopping.signal.aborted) return
    for (const timer of this.#timers) clearInterval(timer)
    this.#lost.abort(
      new Failure('The lock was lost.', {
        exit: EXIT.locked,
        why: this.#says,
        next: 'Steps that run come to their end, nothing new starts. Run the same command again.',
      }),
    )
  }
}
