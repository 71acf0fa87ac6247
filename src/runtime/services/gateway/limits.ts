import type { Limits as KeyLimits } from '../../../contracts/auth.ts'
import { ANSWER_DEADLINE_MS } from '../../../contracts/hop.ts'
import { type Spent, Window } from './window.ts'

const SWEEP_MS = 60_000

export type Reserved =
  | { ok: true; settle(realTokens: number): void }
  | { ok: false; limit: 'requests' | 'tokens'; retryAfterSeconds: number }

/**
 * Requests and tokens of each key within any 60 s. What a request may cost at most (prompt and max tokens) is taken out before it starts
 * and put right when it ends; a request that never ends gives it back at its deadline. Times on a monotonic clock, milliseconds.
 */
export class Limits {
  readonly #now: () => number
  readonly #windows = new Map<string, Window>()
  #swept: number

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
    this.#swept = now()
  }

  reserve(o: { keyId: string; limits: KeyLimits; tokens: number; deadlineMs?: number }): Reserved {
    const { requestsPerMinute, tokensPerMinute } = o.limits
    if (requestsPerMinute === undefined && tokensPerMinute === undefined) return UNLIMITED
    const now = this.#now()
    this.#sweep(now)
    const window = this.#windowOf(o.keyId)
    const spent = window.spent(now)
    // A request larger than the whole limit could never run; it may when nothing else counts.
    const tokens = Math.min(o.tokens, tokensPerMinute ?? o.tokens)
    if (requestsPerMinute !== undefined && spent.requests + 1 > requestsPerMinute)
      return refuse(
        'requests',
        window.msUntil(now, s => s.requests + 1 <= requestsPerMinute),
      )
    if (tokensPerMinute !== undefined && !roomFor(tokens, spent, tokensPerMinute))
      return refuse(
        'tokens',
        window.msUntil(now, s => roomFor(tokens, s, tokensPerMinute)),
      )
    const settle = window.reserve(now, { tokens, until: now + (o.deadlineMs ?? ANSWER_DEADLINE_MS) })
    return { ok: true, settle: realTokens => settle(this.#now(), realTokens) }
  }

  /** Keys that are held in memory at this moment. */
  get size(): number {
    return this.#windows.size
  }

  #windowOf(keyId: string): Window {
    const window = this.#windows.get(keyId) ?? new Window()
    this.#windows.set(keyId, window)
    return window
  }

  #sweep(now: number): void {
    if (now - this.#swept < SWEEP_MS) return
    this.#swept = now
    for (const [key, window] of this.#windows) if (window.isEmpty(now)) this.#windows.delete(key)
  }
}

const UNLIMITED: Reserved = { ok: true, settle() {} }

/** Nothing is left once the limit is reached, also for a request that expects no tokens. */
const roomFor = (tokens: number, spent: Spent, limit: number) =>
  spent.tokens < limit && spent.tokens + tokens <= limit

const refuse = (limit: 'requests' | 'tokens', ms: number): Reserved => ({
  ok: false,
  limit,
  retryAfterSeconds: Math.max(1, Math.ceil(ms / 1000)),
})
