import type { Far, Mark } from '../store/store.ts'
import { HEAD_BYTES, type Head, headOf, type OpenVersion, opened, type Version } from './record.ts'
import { exists, type VersionRecords, type Versions } from './versions.ts'

/** On a first version: look for newer ones. */
const SUCCEEDED = 1
/** On a first version: the object is being removed, and newer ones, as long as there are any, still are what its name means. */
const LEAVING = 2

/**
 * In a store that is far, with as few trips as can be. Version 1 is there exactly as long as the object: it is created first, which takes
 * its name, and removed last. It is marked before a second version is created, so one read of it says that it is the newest.
 */
export class FarVersions implements Versions {
  readonly #records: VersionRecords
  readonly #far: Far

  constructor(records: VersionRecords, far: Far) {
    this.#records = records
    this.#far = far
  }

  async newest(name: string): Promise<Head | undefined> {
    const first = await this.#far.read(this.#records.key(name, 1), HEAD_BYTES)
    if (first?.mark === 0) {
      const head = headOf(first.record)
      if (await this.#isAlone(head)) return head
    }
    return this.#listed(name, first?.mark)
  }

  async open(name: string): Promise<OpenVersion | undefined> {
    const first = await this.#far.open(this.#records.key(name, 1))
    if (first?.mark === 0) {
      const version = await opened(first.body)
      if (await this.#isAlone(version)) return version
    }
    // Read to its end and dropped, as it keeps its connection so.
    first?.body.on('error', () => {}).resume()
    const newest = await this.#listed(name, first?.mark)
    return newest && this.#records.open(name, newest.version)
  }

  /** Of a first version without a mark. */
  async #isAlone(first: Head): Promise<boolean> {
    return first.first === true || !(await this.#far.read(this.#records.key(first.name, 2), HEAD_BYTES))
  }

  async #listed(name: string, mark: Mark | undefined): Promise<Head | undefined> {
    // Without a first one there may be what an earlier llmagentos, which removed it first, did not get to.
    const newest = await this.#records.newest(name)
    return mark === LEAVING && newest?.version === 1 ? undefined : newest
  }

  add(object: Omit<Version, 'version'>, o: { replace: boolean }): Promise<Head> {
    return o.replace ? this.#replace(object) : this.#first(object)
  }

  async #first(object: Omit<Version, 'version'>): Promise<Head> {
    const version = { ...object, version: 1, first: true } as const
    for (;;) {
      if (await this.#records.create(version)) return version
      const newest = await this.newest(object.name)
      const own = await this.#records.own(newest, object.sent)
      if (own) return own
      if (newest) throw exists(object.name)
      // It is being removed, or its removal was cut off near its end.
      await this.remove(object.name)
    }
  }

  async #replace(object: Omit<Version, 'version'>): Promise<Head> {
    const { name } = object
    const key = this.#records.key(name, 1)
    for (;;) {
      const first = await this.#far.read(key, HEAD_BYTES)
      if (first?.mark === LEAVING) await this.remove(name)
      else if (first) {
        if (first.mark === 0 && !(await this.#far.mark(key, SUCCEEDED))) continue
        const newest = await this.#records.newest(name)
        const own = await this.#records.own(newest, object.sent)
        if (own) return own
        const version = newest && { ...object, version: newest.version + 1 }
        if (!version || !(await this.#records.create(version))) continue
        // Removed meanwhile, and this one with it, as if it had come before. It may have come too late to be seen by the removal.
        if (!(await this.#isStill(key, first.record))) await this.#records.drop(version)
        return version
      } else if (await this.#records.newest(name)) await this.remove(name)
      else {
        const version = { ...object, version: 1, first: true } as const
        if (await this.#records.create(version)) return version
      }
    }
  }

  async #isStill(key: string, first: Buffer): Promise<boolean> {
    return (await this.#far.read(key, HEAD_BYTES))?.record.equals(first) === true
  }

  /** Versions 2 and on, oldest first, then the first one. */
  async remove(name: string): Promise<number> {
    const all = await this.#records.all(name)
    if (all.length > 1) await this.#far.mark(this.#records.key(name, 1), LEAVING)
    for (const version of all.filter(v => v.version > 1).toReversed()) await this.#records.drop(version)
    for (const version of all.filter(v => v.version === 1)) await this.#records.drop(version)
    // Who added one and has not yet seen that the first is gone. Its blob is theirs to delete, or the sweep's.
    const left = await this.#records.all(name)
    if (left.some(v => v.version === 1)) return all.length
    for (const { version } of left) await this.#records.store.delete(this.#records.key(name, version))
    return all.length
  }
}
