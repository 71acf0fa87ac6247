import { FEED_POLL_MS, jwks } from '../../contracts/auth.ts'
import type { Principal, ServiceName } from '../../contracts/identity.ts'
import { reasonOf } from '../../errors.ts'
import type { Log } from '../../log.ts'
import { ownHop } from '../hop.ts'
import { Refusal } from '../refusal.ts'
import type { Calls } from '../transport.ts'
import { FeedReader } from './feed.ts'
import { PublicKeys } from './public-keys.ts'
import { readToken } from './tokens.ts'
import { Waiters } from './waiters.ts'

/** How long a request waits for fresh revocations before it is refused. */
const HOLD_MS = 3_000
const MAX_CACHED = 10_000
/** Services start at the same time, so an auth that does not answer yet is no news for so long. */
const STARTING_MS = 3_000
/** A request that finds the revocations stale asks at once, but no sooner than this after the last question. */
const MIN_POLL_GAP_MS = 50

/** Called after each answer of the feed that brought news. `everything`: auth started anew, so forget all that was derived from its answers. */
export type OnChange = (changedKeyIds: string[], revokedKeyIds: string[], everything: boolean) => void

/**
 * Decides whether a token (and at the gateway a key) is accepted. It is only while a majority of the auth instances answered a poll that
 * was SENT less than `maxStale` ago on the monotonic clock: a process that was frozen finds itself stale at its first check after the thaw,
 * whatever its timers did meanwhile.
 */
export class Verifier {
  readonly #self: ServiceName
  readonly #log: Log
  readonly #now: () => number
  readonly #holdMs: number
  readonly #feeds: FeedReader[]
  readonly #keys: PublicKeys
  readonly #listeners: OnChange[] = []
  readonly #read = new Map<string, { principal: Principal; expiresAt: number }>()
  readonly #waiters = new Waiters()
  #timer: NodeJS.Timeout | undefined
  #stopped = false
  #away = false
  #started = Number.POSITIVE_INFINITY

  constructor(o: { self: ServiceName; calls: Calls; log: Log; now?: () => number; holdMs?: number }) {
    this.#self = o.self
    this.#log = o.log
    this.#now = o.now ?? (() => performance.now())
    this.#holdMs = o.holdMs ?? HOLD_MS
    this.#feeds = o.calls.peers('auth').map(peer => new FeedReader({ calls: o.calls, peer, now: this.#now }))
    this.#keys = new PublicKeys(async () => (await o.calls.call(jwks, ownHop(2_000))).keys, this.#now)
  }

  start(): void {
    this.#started = this.#now()
    this.#pollAll()
    void this.#keys.refresh().catch(() => undefined)
    this.#timer = setInterval(() => {
      this.#pollAll()
      this.#keys.refreshIfOld()
    }, FEED_POLL_MS).unref()
  }

  stop(): void {
    this.#stopped = true
    clearInterval(this.#timer)
    this.#waiters.wake()
  }

  /** Who the token is for. Throws a Refusal: 401, or 503 when revocations are not known to be fresh. */
  async verify(token: string): Promise<Principal> {
    let read = this.#read.get(token)
    if (!read || read.expiresAt <= Date.now()) {
      read = await readToken(token, { audience: this.#self, keyOf: kid => this.#keys.get(kid) })
      this.#keep(token, read)
    }
    if (!this.isFresh()) await this.fresh()
    if (this.isRevoked(read.principal.key)) throw revokedKey()
    return read.principal
  }

  isFresh(): boolean {
    return this.lagMs() < this.maxStaleMs()
  }

  /** What keeps requests from being accepted; [] also while they would be held for a moment, and then accepted. */
  missing(): string[] {
    return this.lagMs() < this.maxStaleMs() + this.#holdMs ? [] : ['auth has not said yet who is revoked']
  }

  /** Returns once revocations are fresh; throws a Refusal (503, with Retry-After) when they do not become so in 3 s. */
  async fresh(): Promise<void> {
    const end = this.#now() + this.#holdMs
    if (!this.isFresh()) this.#pollAll(MIN_POLL_GAP_MS)
    while (!this.isFresh()) {
      const left = end - this.#now()
      if (left <= 0 || this.#stopped) throw notFresh()
      await this.#waiters.next(left)
    }
  }

  isRevoked(keyId: string): boolean {
    return this.#feeds.some(f => f.isRevoked(keyId))
  }

  onChange(listener: OnChange): void {
    this.#listeners.push(listener)
  }

  /** Milliseconds since the sending of the newest poll that a majority has answered; Infinity before the first. */
  lagMs(): number {
    const [only] = this.#feeds
    if (only && this.#feeds.length === 1) return this.#now() - only.answeredSince
    const majority = Math.floor(this.#feeds.length / 2) + 1
    const sent = this.#feeds.map(f => f.answeredSince).sort((a, b) => b - a)[majority - 1]
    return this.#now() - (sent ?? Number.NEGATIVE_INFINITY)
  }

  maxStaleMs(): number {
    return Math.min(...this.#feeds.map(f => f.maxStaleMs))
  }

  #pollAll(gapMs = 0): void {
    for (const feed of this.#feeds) if (feed.sinceLastSent() >= gapMs) void this.#poll(feed)
  }

  async #poll(feed: FeedReader): Promise<void> {
    try {
      const { changed, revoked, restarted } = await feed.poll()
      if (this.#away) this.#log.info({}, 'auth answers again')
      this.#away = false
      if (restarted) void this.#keys.refresh().catch(() => undefined)
      if (changed.length > 0 || revoked.length > 0 || restarted)
        for (const listener of this.#listeners) listener(changed, revoked, restarted)
    } catch (thrown) {
      if (!this.#away && !this.#stopped && this.#now() - this.#started > STARTING_MS) {
        this.#log.warn({ err: reasonOf(thrown) }, 'auth does not answer: who is revoked is not known')
        this.#away = true
      }
    }
    this.#waiters.wake()
  }

  #keep(token: string, read: { principal: Principal; expiresAt: number }): void {
    this.#read.delete(token)
    if (this.#read.size >= MAX_CACHED) this.#read.delete(this.#read.keys().next().value!)
    this.#read.set(token, read)
  }
}

export const revokedKey = () =>
  new Refusal(401, 'revoked_key', 'The API key was revoked.', {
    next: 'Create another: `llmagentos key create`.',
  })

const notFresh = () =>
  new Refusal(503, 'not_fresh', 'Which keys are revoked is not known at this moment, so none is accepted.', {
    next: 'Try again in a moment; `llmagentos cluster status` says what is down.',
    retryAfterSeconds: 1,
    nothingBegun: true,
  })
