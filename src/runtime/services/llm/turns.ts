import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { TOKEN_SECONDS } from '../../../contracts/auth.ts'
import { HOP } from '../../../contracts/hop.ts'
import type { BodyOf } from '../../../contracts/route.ts'
import { appendTurn } from '../../../contracts/sessions.ts'
import { reasonOf } from '../../../errors.ts'
import type { Log } from '../../../log.ts'
import { type Hop, ownHop } from '../../hop.ts'
import { Refusal } from '../../refusal.ts'
import type { Calls } from '../../transport.ts'

/** The final frame of an answer waits so long for its turn to be stored. */
const WAIT_MS = 2_000
/** The user's token is good for no longer, so neither is trying again. */
const TRY_MS = (TOKEN_SECONDS - 10) * 1000
const PAUSE_MS = 500
/** Turns that may wait for a slow store at a time; those beyond are tried once. */
const MOST_PENDING = 1_000

type TurnBody = BodyOf<typeof appendTurn>

/** Keeps turns of sessions. A slow store does not hold the answer: the turn is tried again behind it, under one writer id, so it is kept once. */
export class Turns {
  readonly #calls: Calls
  readonly #log: Log
  readonly #stopped = new AbortController()
  #pending = 0

  constructor(o: { calls: Calls; log: Log }) {
    this.#calls = o.calls
    this.#log = o.log
  }

  /** false: not stored yet, and tried on. */
  keep(session: string, body: TurnBody, hop: Hop): Promise<boolean> {
    const kept = this.#store(session, body, hop).catch(err => {
      this.#log.error({ err, requestId: hop.requestId }, 'a turn was not stored')
      return false
    })
    return Promise.race([kept, sleep(WAIT_MS, false, { ref: false })])
  }

  stop(): void {
    this.#stopped.abort()
  }

  async #store(session: string, body: TurnBody, asked: Hop): Promise<boolean> {
    const hop = { ...ownHop(TRY_MS, this.#stopped.signal), requestId: asked.requestId, token: asked.token }
    const headers = { [HOP.writer]: randomUUID() }
    const once = this.#pending >= MOST_PENDING
    this.#pending += 1
    try {
      for (;;) {
        try {
          await this.#calls.call(appendTurn, hop, { params: { id: session }, body, headers })
          return true
        } catch (thrown) {
          if (once || hop.signal.aborted || isFinal(thrown)) throw thrown
          this.#log.warn(
            { requestId: hop.requestId, why: reasonOf(thrown) },
            'a turn is not stored yet; trying again',
          )
        }
        await sleep(PAUSE_MS, undefined, { signal: hop.signal })
      }
    } finally {
      this.#pending -= 1
    }
  }
}

/** A full store stays full for longer than we try. */
const isFinal = (thrown: unknown) =>
  thrown instanceof Refusal && (thrown.status < 500 || thrown.status === 507)
