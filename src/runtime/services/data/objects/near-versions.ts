import type { Head, OpenVersion, Version } from './record.ts'
import { exists, type VersionRecords, type Versions } from './versions.ts'

/** In a store that is near, where a list costs next to nothing. */
export class NearVersions implements Versions {
  readonly #records: VersionRecords

  constructor(records: VersionRecords) {
    this.#records = records
  }

  newest(name: string): Promise<Head | undefined> {
    return this.#records.newest(name)
  }

  async open(name: string): Promise<OpenVersion | undefined> {
    // Content is in blobs here, so its head is all of a record.
    return this.newest(name)
  }

  async add(object: Omit<Version, 'version'>, o: { replace: boolean }): Promise<Head> {
    for (;;) {
      const newest = await this.newest(object.name)
      const own = await this.#records.own(newest, object.sent)
      if (own) return own
      if (newest && !o.replace) throw exists(object.name)
      const version = { ...object, version: (newest?.version ?? 0) + 1 }
      if (await this.#records.create(version)) return version
    }
  }

  /** Oldest first, so that a removal that was cut off is seen and can be repeated. */
  async remove(name: string): Promise<number> {
    const all = await this.#records.all(name)
    for (const version of all.toReversed()) await this.#records.drop(version)
    return all.length
  }
}
