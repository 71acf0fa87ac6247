import { randomBytes } from 'node:crypto'

const MAX_ENTRIES = 10_000

/** What verifiers are told: every act since the version they know, or all revocations when they know another boot. */
export class FeedLog {
  #boot = newBoot()
  #version = 0
  #entries: { version: number; id: string; revoked: boolean }[] = []

  revoked(ids: readonly string[]): void {
    this.#append(ids, true)
  }

  /** Rights or limits of these keys are other than before. */
  changed(ids: readonly string[]): void {
    this.#append(ids, false)
  }

  /** Everybody starts over: what they were told before need not hold any more. */
  restart(): void {
    this.#boot = newBoot()
    this.#entries = []
    this.#version = 0
  }

  since(known: { boot?: string; after?: number }, allRevoked: () => string[]) {
    const about = { boot: this.#boot, version: this.#version }
    if (known.boot !== this.#boot || known.after === undefined)
      return { ...about, revoked: allRevoked(), changed: [] }
    const after = known.after
    if (after >= this.#version) return { ...about, revoked: [], changed: [] }
    const news = this.#entries.filter(e => e.version > after)
    return {
      ...about,
      revoked: news.filter(e => e.revoked).map(e => e.id),
      changed: news.filter(e => !e.revoked).map(e => e.id),
    }
  }

  #append(ids: readonly string[], revoked: boolean): void {
    if (ids.length === 0) return
    this.#version += 1
    for (const id of ids) this.#entries.push({ version: this.#version, id, revoked })
    if (this.#entries.length > MAX_ENTRIES) this.restart()
  }
}

const newBoot = () => randomBytes(8).toString('hex')
