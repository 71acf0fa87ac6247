import { readFileSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { reasonOf } from '../../errors.ts'
import type { Log } from '../../log.ts'

const LOOK_MS = 1_000

const all = new Set<WatchedFiles<string>>()

/** Looks at all of them now, for whoever knows of a change before the next look. */
export function lookAgain(): void {
  for (const watched of all) watched.look()
}

type Files<Name extends string> = Record<Name, string>
export type Texts<Name extends string> = Record<Name, string>

/**
 * The texts of some files that belong together, read again within a second or two of a change. Key and certificate are two files, so what is
 * found may not fit together for a moment: what `check` throws for stays out, and the last good texts stay in use.
 */
export class WatchedFiles<Name extends string> {
  current: Texts<Name>
  readonly #files: Files<Name>
  readonly #check: (texts: Texts<Name>) => void
  readonly #log: Log
  readonly #listeners = new Set<() => void>()
  readonly #timer: NodeJS.Timeout
  #looking = false
  #warned = ''

  /** Throws what reading a file or `check` throws. */
  constructor(o: { files: Files<Name>; check(texts: Texts<Name>): void; log: Log }) {
    this.#files = o.files
    this.#check = o.check
    this.#log = o.log
    this.current = this.#read()
    this.#check(this.current)
    all.add(this as unknown as WatchedFiles<string>)
    let seen = ''
    this.#timer = setInterval(async () => {
      const stamps = await this.#stamps()
      if (stamps === undefined || stamps === seen) return
      // A change that is still under way shows itself again at the next look.
      if (this.look()) seen = stamps
    }, LOOK_MS).unref()
  }

  /** Reads the files now; false when what they hold cannot be used. */
  look(): boolean {
    if (this.#looking) return false
    this.#looking = true
    try {
      const texts = this.#read()
      if (JSON.stringify(texts) !== JSON.stringify(this.current)) {
        this.#check(texts)
        this.current = texts
        for (const listener of this.#listeners) listener()
        this.#log.info({ files: Object.values(this.#files) }, 'changed TLS files are in use')
      }
      this.#warned = ''
      return true
    } catch (thrown) {
      this.#warn(reasonOf(thrown))
      return false
    } finally {
      this.#looking = false
    }
  }

  /** Returns what ends it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  close(): void {
    clearInterval(this.#timer)
    all.delete(this as unknown as WatchedFiles<string>)
    this.#listeners.clear()
  }

  #read(): Texts<Name> {
    const entries = Object.entries<string>(this.#files).map(([name, path]) => [
      name,
      readFileSync(path, 'utf8'),
    ])
    return Object.fromEntries(entries) as Texts<Name>
  }

  async #stamps(): Promise<string | undefined> {
    try {
      const all = await Promise.all(
        Object.values<string>(this.#files).map(path => stat(path, { bigint: true })),
      )
      return all.map(s => `${s.ino} ${s.size} ${s.mtimeNs} ${s.ctimeNs}`).join(' ')
    } catch (thrown) {
      this.#warn(reasonOf(thrown))
      return undefined
    }
  }

  #warn(why: string): void {
    if (why === this.#warned) return
    this.#warned = why
    this.#log.warn({ why }, 'changed TLS files cannot be used; those read before stay in use')
  }
}
