import { feed } from '../../contracts/auth.ts'
import type { ReplyOf } from '../../contracts/route.ts'
import { ownHop } from '../hop.ts'
import { refusalFrom } from '../refusal.ts'
import type { Calls, Peer } from '../transport.ts'

/** An instance that answered nothing for so long is likely away. */
const SILENT_MS = 1_000
/** An answer later than this is worthless: it could not make anything fresh any more. */
const POLL_DEADLINE_MS = 3_000

export interface FeedChange {
  changed: string[]
  revoked: string[]
  /** The instance is another than before: whatever was known of rights may be out of date. */
  restarted: boolean
}

/** What one auth instance says about revocations, and when it was last asked with success. */
export class FeedReader {
  readonly #calls: Calls
  readonly #peer: Peer
  readonly #now: () => number
  #boot: string | undefined
  #version = 0
  #revoked = new Set<string>()
  #lastSent = Number.NEGATIVE_INFINITY
  #firstSent: number | undefined

  /** On the clock of `now`: when the newest poll that was answered had been sent. */
  answeredSince = Number.NEGATIVE_INFINITY
  maxStaleMs = 1_000

  constructor(o: { calls: Calls; peer: Peer; now: () => number }) {
    this.#calls = o.calls
    this.#peer = o.peer
    this.#now = o.now
  }

  isRevoked(keyId: string): boolean {
    return this.#revoked.has(keyId)
  }

  sinceLastSent(): number {
    return this.#now() - this.#lastSent
  }

  /** Polls overlap when answers are slow; each counts from the moment that it was sent, before anything else could delay it. */
  async poll(): Promise<FeedChange> {
    const sent = this.#now()
    this.#lastSent = sent
    this.#firstSent ??= sent
    // Then every call of this process asks the others first, and does not find it out with its own deadline.
    if (sent - Math.max(this.answeredSince, this.#firstSent) > SILENT_MS) this.#peer.absence.begins()
    const query = this.#boot === undefined ? {} : { boot: this.#boot, after: this.#version }
    const reply = await this.#calls.raw(feed, ownHop(POLL_DEADLINE_MS), { query, peer: this.#peer })
    const text = await reply.body.text()
    if (reply.status !== 200) throw refusalFrom(reply.status, text)
    return this.#take(JSON.parse(text) as ReplyOf<typeof feed>, sent)
  }

  #take(answer: ReplyOf<typeof feed>, sent: number): FeedChange {
    const restarted = this.#boot !== undefined && answer.boot !== this.#boot
    // A late answer of an instance that has since been replaced knows less than what is known here.
    if (restarted && sent < this.answeredSince) return { changed: [], revoked: [], restarted: false }
    if (answer.boot !== this.#boot) {
      this.#revoked = new Set()
      this.#version = 0
      this.#boot = answer.boot
    }
    const revoked = answer.revoked.filter(id => !this.#revoked.has(id))
    for (const id of revoked) this.#revoked.add(id)
    const changed = answer.version > this.#version ? answer.changed : []
    this.#version = Math.max(this.#version, answer.version)
    this.answeredSince = Math.max(this.answeredSince, sent)
    this.maxStaleMs = answer.maxStaleMs
    return { changed, revoked, restarted }
  }
}
