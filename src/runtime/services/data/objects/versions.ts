import { randomUUID } from 'node:crypto'
import { Refusal } from '../../../refusal.ts'
import type { ObjectStore } from '../store/store.ts'
import { folderOf, versionKey } from './names.ts'
import {
  decoded,
  encoded,
  flowing,
  HEAD_BYTES,
  type Head,
  headOf,
  type OpenVersion,
  opened,
  type Version,
} from './record.ts'

/** Who keeps the versions of an object apart and in order. */
export interface Versions {
  newest(name: string): Promise<Head | undefined>
  /** The newest, to be read. */
  open(name: string): Promise<OpenVersion | undefined>
  /**
   * Makes it real: as version 1 of a new name, or as the next one when it may replace. Racing writers get versions of their own, the same
   * request that was sent twice gets one.
   */
  add(object: Omit<Version, 'version'>, o: { replace: boolean }): Promise<Head>
  /** How many there were. */
  remove(name: string): Promise<number>
}

/** The records of the versions of one user's objects. */
export class VersionRecords {
  readonly store: ObjectStore
  readonly #user: string

  constructor(store: ObjectStore, user: string) {
    this.store = store
    this.#user = user
  }

  key(name: string, version: number): string {
    return versionKey(this.#user, name, version)
  }

  async open(name: string, version: number): Promise<OpenVersion | undefined> {
    const key = this.key(name, version)
    if (this.store.far) return this.store.far.open(key).then(found => found && opened(found.body))
    const record = await this.store.get(key)
    return record && flowing(decoded(record))
  }

  async newest(name: string): Promise<Head | undefined> {
    const o = { limit: 1, values: true, most: HEAD_BYTES }
    const [found] = await this.store.list(folderOf(this.#user, name), o)
    return found && headOf(found.value!)
  }

  /** The version that was made of the same request before, which may have been sent again. `newest` was seen a moment ago. */
  async own(newest: Head | undefined, sent: string | undefined): Promise<Head | undefined> {
    if (sent === undefined) return undefined
    for (let found = newest; found && isRecent(found); ) {
      if (found.sent === sent) return found
      const older = await this.store.get(this.key(found.name, found.version - 1))
      found = older && headOf(older)
    }
    return undefined
  }

  /** False where somebody has that number. */
  async create(version: Version): Promise<boolean> {
    const key = this.key(version.name, version.version)
    return (await this.store.create(key, encoded(version), randomUUID())).created
  }

  /** Newest first. */
  async all(name: string): Promise<Head[]> {
    const all: Head[] = []
    for (let pages = 1; ; pages++) {
      const last = all.at(-1)
      const page = await this.store.list(folderOf(this.#user, name), {
        after: last && this.key(name, last.version),
        limit: 1000,
        values: true,
        most: HEAD_BYTES,
      })
      all.push(...page.map(found => headOf(found.value!)))
      if (all.length < pages * 1000) return all
    }
  }

  /** Its record before its blob: none names what is gone. */
  async drop({ name, version, blob }: Head): Promise<void> {
    await this.store.delete(this.key(name, version))
    if (blob) await this.store.deleteBlob(blob)
  }
}

export function exists(name: string): Refusal {
  return new Refusal(409, 'exists', `There is an object ${name} already.`, {
    next: 'Add --replace (`?replace=true`) to store the next version, or take another name.',
  })
}

/** A repeat comes as long as its caller waits. */
const REPEAT_MS = 5 * 60_000
const isRecent = ({ created }: Head) => Date.now() - Date.parse(created) < REPEAT_MS
