import { FEED_POLL_MS } from '../../../../contracts/auth.ts'
import type { Given } from '../../../../contracts/auth-records.ts'
import { reasonOf } from '../../../../errors.ts'
import type { Log } from '../../../../log.ts'
import { Waiters } from '../../../identity/waiters.ts'
import { Refusal } from '../../../refusal.ts'
import type { Calls } from '../../../transport.ts'
import type { Other } from './others.ts'
import { Outbox } from './outbox.ts'
import { type Listener, Reader } from './reader.ts'

/** How long a request waits to hear from a majority before it is refused. */
const HOLD_MS = 3_000
const MIN_POLL_GAP_MS = 50
/** Instances start at the same time, so one that does not answer yet is no news for so long. */
const STARTING_MS = 5_000
/** An instance that was silent for so long is told of as away. */
const AWAY_MS = 2_000

interface Replica {
  name: string
  outbox: Outbox
  reader: Reader
  away: boolean
}

/**
 * The other instances of auth. New records are given to them at once, and each is asked all the time for what was missed. So two things are known
 * here: whether a majority holds a record, and whether this instance has heard of all that a majority held a moment ago.
 */
export class Replicas {
  readonly #log: Log
  readonly #now: () => number
  readonly #maxStaleMs: number
  readonly #all: Replica[]
  readonly #waiters = new Waiters()
  readonly #started: number
  #listener: Listener | undefined
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  constructor(o: { calls: Calls; others: Other[]; maxStaleMs: number; log: Log; now?: () => number }) {
    const now = o.now ?? (() => performance.now())
    this.#log = o.log
    this.#now = now
    this.#maxStaleMs = o.maxStaleMs
    this.#started = now()
    const listener = () => this.#listener
    this.#all = o.others.map(({ name, peer }) => ({
      name,
      outbox: new Outbox(o.calls, peer),
      reader: new Reader({ calls: o.calls, peer, now, listener }),
      away: false,
    }))
  }

  start(listener: Listener): void {
    this.#listener = listener
    this.#pollAll()
    this.#timer = setInterval(() => this.#pollAll(), FEED_POLL_MS).unref()
  }

  stop(): void {
    this.#stopped = true
    clearInterval(this.#timer)
    this.#waiters.wake()
  }

  /** Answers once a majority holds these, counting this instance, with []; else who does not, when nobody is left to wait for. */
  give(given: Given): Promise<string[]> {
    const missing = new Set(this.#all.map(r => r.name))
    let asked = this.#all.length
    return new Promise(resolve => {
      for (const { name, outbox } of this.#all)
        void outbox.give(given).then(taken => {
          asked -= 1
          if (taken) missing.delete(name)
          if (this.#all.length - missing.size >= this.#needed) resolve([])
          else if (asked === 0) resolve([...missing])
        })
    })
  }

  /** Throws a Refusal (503) when a majority does not answer within 3 s: what it holds may be unknown here. */
  async fresh(): Promise<void> {
    const end = this.#now() + HOLD_MS
    if (!this.isFresh()) this.#pollAll(MIN_POLL_GAP_MS)
    while (!this.isFresh()) {
      const left = end - this.#now()
      if (left <= 0 || this.#stopped) throw notFresh()
      await this.#waiters.next(left)
    }
  }

  /** Everything that a majority held so long ago is known here: with this instance, a majority answered a poll sent since. */
  isFresh(): boolean {
    return this.#now() - this.#answeredSince(this.#needed) < this.#maxStaleMs
  }

  /** Whether so many others were heard whole that anything a majority holds is known, although this instance has forgotten what it held. */
  heardEnough(): boolean {
    return this.#answeredSince(this.#all.length + 1 - this.#needed) > Number.NEGATIVE_INFINITY
  }

  notes(): string[] {
    return this.#all.filter(r => r.away).map(r => `${r.name} does not answer.`)
  }

  /** Others that make a majority with this instance. */
  get #needed(): number {
    return Math.floor((this.#all.length + 1) / 2)
  }

  /** When a poll had been sent that so many have answered, or a later one. */
  #answeredSince(count: number): number {
    return this.#all.map(r => r.reader.answeredSince).sort((a, b) => b - a)[count - 1]!
  }

  #pollAll(gapMs = 0): void {
    for (const replica of this.#all) if (replica.reader.sinceLastSent() >= gapMs) void this.#poll(replica)
  }

  async #poll(replica: Replica): Promise<void> {
    try {
      await replica.reader.poll()
      if (replica.away) this.#log.info({ peer: replica.name }, 'another instance of auth answers again')
      replica.away = false
    } catch (thrown) {
      const since = Math.max(replica.reader.answeredSince, this.#started + STARTING_MS - AWAY_MS)
      if (replica.away || this.#stopped || this.#now() - since < AWAY_MS) return
      this.#log.warn(
        { peer: replica.name, err: reasonOf(thrown) },
        'another instance of auth does not answer',
      )
      replica.away = true
    }
    this.#waiters.wake()
  }
}

const notFresh = () =>
  new Refusal(503, 'not_fresh', 'Too few instances of auth answer, so what was revoked may not be known.', {
    next: 'Try again in a moment; `llmagentos cluster status` says what is down.',
    retryAfterSeconds: 1,
    nothingBegun: true,
  })
