import { fetchRecords, type Given } from '../../../../contracts/auth-records.ts'
import type { ReplyOf } from '../../../../contracts/route.ts'
import { ownHop } from '../../../hop.ts'
import { refusalFrom } from '../../../refusal.ts'
import type { Calls, Peer } from '../../../transport.ts'

/** An answer later than this is worthless: it could not make anything fresh any more. */
const POLL_DEADLINE_MS = 3_000
const MOST_AT_ONCE = 8

type Answer = ReplyOf<typeof fetchRecords>

/** Who hears what the others tell. */
export interface Listener {
  takeIn(given: Given): void
  /** Whether that is the boot of this very instance: a wrong config would have it count as another one. */
  isSelf(boot: string): boolean
}

/** What one peer has taken in, followed by its number; and when it was last asked with success. */
export class Reader {
  readonly #calls: Calls
  readonly #peer: Peer
  readonly #now: () => number
  readonly #listener: () => Listener | undefined
  #boot: string | undefined
  #version = 0
  #lastSent = Number.NEGATIVE_INFINITY
  #under = 0
  #following = false

  /** On the clock of `now`: when the newest poll that was answered whole had been sent. */
  answeredSince = Number.NEGATIVE_INFINITY

  constructor(o: { calls: Calls; peer: Peer; now: () => number; listener: () => Listener | undefined }) {
    this.#calls = o.calls
    this.#peer = o.peer
    this.#now = o.now
    this.#listener = o.listener
  }

  sinceLastSent(): number {
    return this.#now() - this.#lastSent
  }

  /** Polls overlap when answers are slow; each counts from the moment that it was sent. One that has more to fetch goes on alone. */
  async poll(): Promise<void> {
    if (this.#following || this.#under >= MOST_AT_ONCE) return
    this.#under += 1
    let follows = false
    try {
      if (!(await this.#ask()) || this.#following) return
      follows = true
      this.#following = true
      while (await this.#ask());
    } finally {
      this.#under -= 1
      if (follows) this.#following = false
    }
  }

  /** Whether there is more. */
  async #ask(): Promise<boolean> {
    const sent = this.#now()
    this.#lastSent = sent
    const query = this.#boot === undefined ? {} : { boot: this.#boot, after: this.#version }
    const reply = await this.#calls.raw(fetchRecords, ownHop(POLL_DEADLINE_MS), { query, peer: this.#peer })
    const text = await reply.body.text()
    if (reply.status !== 200) throw refusalFrom(reply.status, text)
    return this.#take(JSON.parse(text) as Answer, sent)
  }

  #take(answer: Answer, sent: number): boolean {
    const listener = this.#listener()
    if (!listener || listener.isSelf(answer.boot)) throw new Error('who answers there is this very instance')
    // What is told is true whenever it was told.
    if (answer.records.length > 0) listener.takeIn(answer)
    if (answer.boot !== this.#boot) {
      // A late answer of an instance that has since started anew says nothing of where that one stands.
      if (sent < this.answeredSince) return false
      this.#boot = answer.boot
      this.#version = 0
    }
    this.#version = Math.max(this.#version, answer.version)
    if (!answer.more) this.answeredSince = Math.max(this.answeredSince, sent)
    return answer.more
  }
}
