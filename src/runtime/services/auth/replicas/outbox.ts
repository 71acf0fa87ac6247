import { type Given, giveRecords, MOST_RECORDS } from '../../../../contracts/auth-records.ts'
import { ownHop } from '../../../hop.ts'
import type { Calls, Peer } from '../../../transport.ts'

/** A peer that takes longer hears of it when it asks. */
const GIVE_MS = 1_500

interface Batch extends Given {
  taken: Promise<boolean>
}

/** What one peer is given at once, one message at a time; what comes up meanwhile is the next. Nothing is repeated: a peer asks for what it missed. */
export class Outbox {
  readonly #calls: Calls
  readonly #peer: Peer
  #running: Promise<boolean> | undefined
  #next: Batch | undefined

  constructor(calls: Calls, peer: Peer) {
    this.#calls = calls
    this.#peer = peer
  }

  /** Whether the peer has them now. */
  give({ records, unstored }: Given): Promise<boolean> {
    if (!this.#running) return this.#send({ records, unstored })
    this.#next ??= this.#after(this.#running)
    if (this.#next.records.length + records.length > MOST_RECORDS) return Promise.resolve(false)
    this.#next.records.push(...records)
    this.#next.unstored.push(...unstored)
    return this.#next.taken
  }

  #after(running: Promise<boolean>): Batch {
    const records: Batch['records'] = []
    const unstored: string[] = []
    const taken = running.then(() => {
      this.#next = undefined
      return this.#send({ records, unstored })
    })
    return { records, unstored, taken }
  }

  #send(body: Given): Promise<boolean> {
    const sent = this.#calls.call(giveRecords, ownHop(GIVE_MS), { body, peer: this.#peer }).then(
      () => true,
      () => false,
    )
    this.#running = sent
    return sent.finally(() => {
      if (this.#running === sent) this.#running = undefined
    })
  }
}
