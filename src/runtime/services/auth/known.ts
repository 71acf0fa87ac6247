import type { Given } from '../../../contracts/auth-records.ts'
import { FeedLog } from './feed-log.ts'
import { History } from './replicas/history.ts'
import { names, Sets } from './sets.ts'

/** The sets with those who are told of each change: verifiers by the feed, other instances by the history. */
export class Known {
  sets = new Sets()
  readonly feed = new FeedLog()
  readonly history = new History()
  readonly #shared: boolean

  /** `shared`: there are other instances, who ask for what they missed. */
  constructor(o: { shared: boolean }) {
    this.#shared = o.shared
  }

  /** Takes in one record, wherever it comes from. Answers whether it was news. */
  take(name: string, record: unknown): boolean {
    const before = this.sets.get(name)
    if (!this.sets.add(name, record)) return false
    this.#tellFeed(name, before)
    if (this.#shared) this.history.append(name)
    if (this.history.isTooLong(this.sets.size())) this.#restartHistory()
    return true
  }

  /** Everybody starts over with these. */
  replace(sets: Sets): void {
    this.sets = sets
    this.feed.restart()
    this.#restartHistory()
  }

  dropSigning(n: number): void {
    this.sets.dropSigning(n)
  }

  /** Records as another instance takes them. */
  given(wanted: string[]): Given['records'] {
    const records: Given['records'] = []
    for (const name of wanted) {
      const record = this.sets.get(name)
      if (record) records.push({ name, record: { ...record } })
    }
    return records
  }

  #restartHistory(): void {
    if (this.#shared) this.history.restart(this.sets.entries().map(([name]) => name))
  }

  /** Which keys it ends or changes. */
  #tellFeed(name: string, before: ReturnType<Sets['get']>): void {
    const { sets, feed } = this
    const { kind, id } = names.parts(name)
    if (kind === 'revoked') feed.revoked([id])
    // Made at one instance for a user who was removed at another at the same time.
    else if (kind === 'key' && sets.revokedAt(id)) feed.revoked([id])
    else if (kind === 'user') {
      const user = sets.users.get(id)!
      const was = before && 'role' in before ? before : undefined
      if (user.removed && !was?.removed) feed.revoked(sets.keysOf(id).filter(key => !sets.revoked.has(key)))
      else if (was && was.role !== user.role) feed.changed(sets.keysOf(id))
    }
  }
}
