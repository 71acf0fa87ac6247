import type { Readable } from 'node:stream'
import { badRequest, Refusal } from '../../../refusal.ts'

/** What must last. Only the data service holds one; `create` is the only atomic act (RUNTIME section 1). */
export interface ObjectStore {
  /** Create-once, at most 8 MiB, durable when it returns. `writer` is kept with the record: a repeat after an unknown outcome finds its own. */
  create(name: string, record: Buffer, writer: string): Promise<{ created: boolean; writer: string }>
  get(name: string): Promise<Buffer | undefined>
  /** In byte order of the names, each greater than `after`. */
  list(prefix: string, o: Page): Promise<{ name: string; value?: Buffer }[]>
  /** Retention, completion and purge only. A name that is not there is no error. */
  delete(name: string): Promise<void>
  /** Stored under a fresh random name, or, where a store is moved, under the one that it had; real once a record names it. */
  putBlob(body: Readable, as?: string): Promise<{ blob: string; bytes: number; sha256: string }>
  /** `range` is inclusive at both ends, as in HTTP, and lies within the blob; `bytes` is the whole blob's size. */
  getBlob(
    blob: string,
    range?: { from: number; to: number },
  ): Promise<{ bytes: number; body: Readable } | undefined>
  deleteBlob(blob: string): Promise<void>
  /** In name order, with the time each was stored (Unix milliseconds), for the sweep of those that no record names. */
  listBlobs(o: { after?: string; limit: number }): Promise<{ blob: string; storedAt: number }[]>
  close(): Promise<void>
  readonly far?: Far
}

export interface Page {
  after?: string
  limit: number
  values?: boolean
  /** Of each value only so many bytes, from its beginning. */
  most?: number
}

/** What a store can where each call is a trip to another machine, so that few of them count. */
export interface Far {
  /** Content of at most so many bytes lies within its record. */
  inlineBytes: number
  /** A record, or so many bytes of its beginning, and its mark, in one trip. */
  read(name: string, most?: number): Promise<{ record: Buffer; mark: Mark } | undefined>
  /** All of a record as it comes, so that it can be sent on while it is read. Whoever opens one reads it to its end or destroys it. */
  open(name: string): Promise<{ body: Readable; mark: Mark } | undefined>
  /** Puts a mark on a record that is there, which else stays as it is; false where there is none. A mark goes with its record. */
  mark(name: string, mark: Mark): Promise<boolean>
}

/** 0: none. What the others say is up to whoever sets them. */
export type Mark = 0 | 1 | 2

/** The store did not answer in time. What was to be written may have been, or may still be. */
export class StoreAway extends Refusal {
  constructor(says: string, cause?: unknown) {
    super(503, 'store_away', says, {
      next: 'Try again in a moment; `llmagentos cluster status` shows how the store is.',
      retryAfterSeconds: 5,
      cause,
    })
  }
}

export const MAX_RECORD_BYTES = 8 * 1024 * 1024

const NAME = /^[!-~]{1,900}$/
const WRITER = /^[\w-]{1,64}$/

/** Every store refuses the same: names and writers of other characters, records over the limit. */
export function checkRecord(name: string, record: Buffer, writer: string): void {
  if (!NAME.test(name)) throw badRequest('A record has a name of 1 to 900 printable ASCII characters.')
  if (!WRITER.test(writer)) throw badRequest('A writer id has 1 to 64 letters, digits, - or _.')
  if (record.length > MAX_RECORD_BYTES)
    throw new Refusal(413, 'too_large', 'A record holds at most 8 MiB.', { next: 'Store it as an object.' })
}
