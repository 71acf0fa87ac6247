import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf, reasonOf } from '../../../errors.ts'
import type { Log } from '../../../log.ts'

const FORMAT = 1

export interface CopyContent {
  records: [string, object][]
  /** Names of revocations that the store does not hold yet. */
  pending: string[]
}

/** A 0600 file with everything that auth knows, from which it answers while the store is away. */
export class Copy {
  readonly #folder: string
  readonly #log: Log
  readonly #content: () => CopyContent
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined
  /** Why the last write failed, if it did. */
  failed: string | undefined

  constructor(o: { folder: string; log: Log; content: () => CopyContent }) {
    this.#folder = o.folder
    this.#log = o.log
    this.#content = o.content
  }

  /** undefined when there is none; throws when there is one that cannot be used. */
  async read(): Promise<CopyContent | undefined> {
    try {
      const { format, ...content } = JSON.parse(await readFile(this.#path(), 'utf8'))
      if (format !== FORMAT) throw new Error(`its format is ${format}, this version reads ${FORMAT}`)
      return content as CopyContent
    } catch (thrown) {
      if (codeOf(thrown) === 'ENOENT') return undefined
      throw thrown
    }
  }

  /** Returns when a file that holds the present content is on the disk, or when that failed. Callers at the same time share one write. */
  save(): Promise<void> {
    if (!this.#running) {
      this.#running = this.#write().finally(() => {
        this.#running = undefined
      })
      return this.#running
    }
    this.#next ??= this.#running.then(() => {
      this.#next = undefined
      return this.save()
    })
    return this.#next
  }

  /** Returns when the writes that were asked for so far are done. */
  async settled(): Promise<void> {
    await (this.#next ?? this.#running)
  }

  /** A copy that misses a revocation is worse than none. */
  async #write(): Promise<void> {
    try {
      await this.#replace(JSON.stringify({ format: FORMAT, ...this.#content() }))
      this.failed = undefined
    } catch (thrown) {
      await rm(this.#path(), { force: true }).catch(() => undefined)
      this.failed = reasonOf(thrown)
      this.#log.error({ err: this.failed }, 'the copy of the keys could not be written')
    }
  }

  async #replace(text: string): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    const temp = `${this.#path()}.new`
    // A leftover may have other permissions than the ones asked for here, which only count when the file is made.
    await rm(temp, { force: true })
    const file = await open(temp, 'wx', 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temp, this.#path())
    const folder = await open(this.#folder, 'r')
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  }

  #path(): string {
    return join(this.#folder, 'sets.json')
  }
}
