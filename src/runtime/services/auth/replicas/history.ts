import { randomBytes } from 'node:crypto'
import { MOST_RECORDS } from '../../../../contracts/auth-records.ts'

/** Entries beyond the records that there are, before it is made anew. */
const SPARE = 1_000

/** The names of all records in the order in which this instance took them in, so that a peer is told what it missed by one number. */
export class History {
  readonly #instance = randomBytes(8).toString('hex')
  #starts = 0
  #names: string[] = []

  append(name: string): void {
    this.#names.push(name)
  }

  /** Everybody starts over with these. */
  restart(names: string[]): void {
    this.#starts += 1
    this.#names = names
  }

  /** Later versions of a user make earlier entries of the same name useless. */
  isTooLong(records: number): boolean {
    return this.#names.length > 2 * records + SPARE
  }

  /** Whether an answer with that boot is one of this very instance. */
  isOwn(boot: string): boolean {
    return boot.startsWith(this.#instance)
  }

  since(known: { boot?: string; after?: number }) {
    const boot = `${this.#instance}-${this.#starts}`
    const after = known.boot === boot ? Math.max(0, known.after ?? 0) : 0
    const names = this.#names.slice(after, after + MOST_RECORDS)
    const version = after + names.length
    return { boot, version, names, more: version < this.#names.length }
  }
}
