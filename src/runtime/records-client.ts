import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { anySignal } from '../any-signal.ts'
import { HOP } from '../contracts/hop.ts'
import { createRecord, deleteRecord, getRecord, listRecords } from '../contracts/store.ts'
import type { Hop } from './hop.ts'
import type { Records } from './records.ts'
import { Refusal, refusalFrom } from './refusal.ts'
import type { Calls, Reply } from './transport.ts'

/** One try of a call; a store may stall, and the next try then finds out what became of the first. */
const TRY_MS = 10_000
const LONGEST_PAUSE_MS = 1_000

/**
 * The records of the data service, for the other services. Every call is safe to repeat, so each repeats itself after an unknown outcome
 * (a cut connection, no answer, 5xx) until the deadline of its hop; what is refused for a reason that stays is thrown at once.
 */
export class RemoteRecords implements Records {
  readonly #calls: Calls

  constructor(calls: Calls) {
    this.#calls = calls
  }

  create(name: string, record: Buffer | object, hop: Hop): Promise<'created' | 'exists'> {
    const upload = Buffer.isBuffer(record) ? record : Buffer.from(JSON.stringify(record))
    const writer = randomBytes(12).toString('hex')
    return repeated(hop, async hop => {
      const reply = await this.#calls.raw(createRecord, hop, {
        params: { '*': name },
        upload,
        headers: { [HOP.writer]: writer, 'content-type': 'application/octet-stream' },
      })
      if (reply.status !== 412) {
        await this.#calls.read(createRecord, reply)
        return 'created'
      }
      // A 412 alone does not mean lost: an earlier try of ours may have stored the record before its answer was cut.
      const found = JSON.parse(await reply.body.text()) as { writer: string }
      return found.writer === writer ? 'created' : 'exists'
    })
  }

  get(name: string, hop: Hop): Promise<Buffer | undefined> {
    return repeated(hop, async hop => {
      const reply = await this.#calls.raw(getRecord, hop, { params: { '*': name } })
      const bytes = await bytesOf(reply)
      if (reply.status === 404) return undefined
      if (reply.status >= 300) throw refusalFrom(reply.status, bytes.toString())
      return bytes
    })
  }

  async list(
    prefix: string,
    o: { after?: string; limit: number; values?: boolean },
    hop: Hop,
  ): Promise<{ name: string; value?: Buffer }[]> {
    const found: { name: string; value?: Buffer }[] = []
    let after = o.after
    for (;;) {
      const query = { prefix, after, limit: Math.min(o.limit - found.length, 10_000), values: o.values }
      const page = await repeated(hop, hop => this.#calls.call(listRecords, hop, { query }))
      for (const { name, value } of page.records)
        found.push(value === undefined ? { name } : { name, value: Buffer.from(value, 'base64') })
      const full = page.records.length === query.limit
      if (found.length >= o.limit || !(page.more || full)) return found
      after = page.records.at(-1)!.name
    }
  }

  async delete(name: string, hop: Hop): Promise<void> {
    await repeated(hop, hop => this.#calls.call(deleteRecord, hop, { params: { '*': name } }))
  }
}

async function repeated<T>(hop: Hop, act: (hop: Hop) => Promise<T>): Promise<T> {
  for (let pause = 20; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    try {
      return await act({ ...hop, signal: anySignal([hop.signal, AbortSignal.timeout(TRY_MS)]) })
    } catch (thrown) {
      if (isFinal(thrown) || hop.signal.aborted) throw thrown
      const rest = pause * (0.5 + Math.random() / 2)
      if (Date.now() + rest >= hop.deadline) throw thrown
      await sleep(rest, undefined, { signal: hop.signal }).catch(() => {
        throw thrown
      })
    }
  }
}

/** Refusals that a repeat would meet again; a full disk is one, for it stored nothing. */
function isFinal(thrown: unknown): boolean {
  return thrown instanceof Refusal && (thrown.status < 500 || thrown.status === 507)
}

async function bytesOf(reply: Reply): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of reply.body) pieces.push(piece as Buffer)
  return Buffer.concat(pieces)
}
