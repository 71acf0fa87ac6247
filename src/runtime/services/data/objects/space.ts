import { notFound } from '../../../refusal.ts'
import type { ObjectStore } from '../store/store.ts'
import { FarVersions } from './far-versions.ts'
import { after, before, pastObject, spaceOf } from './names.ts'
import { NearVersions } from './near-versions.ts'
import { HEAD_BYTES, type Head, headOf, type OpenVersion } from './record.ts'
import { VersionRecords, type Versions } from './versions.ts'

/** The objects of one user. A version is never changed; the newest is what its name means. */
export class ObjectSpace {
  readonly versions: Versions
  readonly records: VersionRecords
  readonly #store: ObjectStore
  readonly #user: string

  constructor(store: ObjectStore, user: string) {
    this.#store = store
    this.#user = user
    this.records = new VersionRecords(store, user)
    this.versions = store.far ? new FarVersions(this.records, store.far) : new NearVersions(this.records)
  }

  /** Throws 404 unless it is there. */
  async open(name: string, version?: number): Promise<OpenVersion> {
    const found = version ? await this.records.open(name, version) : await this.versions.open(name)
    if (!found)
      throw notFound(version ? `version ${version} of ${name}` : `object ${name}`, 'See `data list`.')
    return found
  }

  async list(o: { prefix?: string; after?: string; limit: number }): Promise<{
    objects: Head[]
    more: boolean
  }> {
    const prefix = Buffer.from(o.prefix ?? '')
    const start = before(this.#user, o.prefix ?? '')
    const mark = o.after === undefined ? start : after(this.#user, o.after)
    const objects: Head[] = []
    let from = mark > start ? mark : start
    for (;;) {
      const limit = o.limit + 1 - objects.length
      const most = HEAD_BYTES
      const page = await this.#store.list(spaceOf(this.#user), { after: from, limit, values: true, most })
      for (const found of page) {
        // Another version of the object before it.
        if (found.name < from) continue
        const version = headOf(found.value!)
        if (!Buffer.from(version.name).subarray(0, prefix.length).equals(prefix))
          return { objects, more: false }
        if (objects.length === o.limit) return { objects, more: true }
        objects.push(version)
        from = pastObject(found.name)
      }
      if (page.length < limit) return { objects, more: false }
    }
  }

  async remove(name: string): Promise<number> {
    const count = await this.versions.remove(name)
    if (count === 0) throw notFound(`object ${name}`, 'See `data list`.')
    return count
  }
}
