import { setTimeout as sleep } from 'node:timers/promises'
import type { Hop } from '../../hop.ts'
import type { Records } from '../../records.ts'

/** Auth's records in the store: created once, so that of two instances that act at once one finds what the other wrote. */
export class Stored {
  readonly #records: Records
  readonly #writes = new Set<Promise<unknown>>()

  constructor(records: Records) {
    this.#records = records
  }

  /** Answers with what is there now: the given record, or the one that was there first. */
  async create(
    name: string,
    record: object,
    hop: Hop,
  ): Promise<{ outcome: 'created' | 'exists'; record: unknown }> {
    const write = this.#records.create(name, record, hop)
    this.#writes.add(write)
    const outcome = await write.finally(() => this.#writes.delete(write))
    return { outcome, record: outcome === 'created' ? record : await this.#read(name, hop) }
  }

  delete(name: string, hop: Hop): Promise<void> {
    return this.#records.delete(name, hop)
  }

  /** Returns when nothing is being written any more, or at the deadline. */
  async settled(deadlineMs: number, signal: AbortSignal): Promise<void> {
    const pause = sleep(deadlineMs, undefined, { ref: false, signal }).catch(() => undefined)
    await Promise.race([Promise.allSettled([...this.#writes]), pause])
  }

  async #read(name: string, hop: Hop): Promise<unknown> {
    const bytes = await this.#records.get(name, hop)
    if (!bytes) throw new Error(`the record ${name} is there and cannot be read`)
    return JSON.parse(bytes.toString())
  }
}
