import { randomUUID } from 'node:crypto'
import type { ObjectInfo } from '../../../../contracts/objects.ts'
import { notFound, Refusal } from '../../../refusal.ts'
import type { ObjectStore } from '../store/store.ts'
import type { Content } from './content.ts'
import { after, before, folderOf, pastObject, spaceOf, versionKey } from './names.ts'

/** A version of an object as its record holds it: what people see, and the blob with its bytes, or these themselves (base64). */
export type Version = ObjectInfo & Content & Sent

type Unversioned = Omit<ObjectInfo, 'version'> & Content & Sent

/** How whoever sent it recognises it: see repeat.ts. */
interface Sent {
  sent?: string
}

/** The objects of one user. A version is never changed; the newest is what its name means. */
export class ObjectSpace {
  readonly #store: ObjectStore
  readonly #user: string

  constructor(store: ObjectStore, user: string) {
    this.#store = store
    this.#user = user
  }

  async newest(name: string): Promise<Version | undefined> {
    return (this.#store.far && (await this.#first(name))) ?? this.#listed(name)
  }

  /**
   * Most objects have one version: it and its absent successor are found by two reads at once, without a list and what follows it. While
   * the object is removed, the first version may be seen although it was not the newest.
   */
  async #first(name: string): Promise<Version | undefined> {
    const key = (version: number) => versionKey(this.#user, name, version)
    const [first, second] = await Promise.all([this.#store.get(key(1)), this.#store.get(key(2))])
    return first && !second ? read({ value: first }) : undefined
  }

  async #listed(name: string): Promise<Version | undefined> {
    const [found] = await this.#store.list(folderOf(this.#user, name), { limit: 1, values: true })
    return found && read(found)
  }

  /** Throws 404 unless it is there. */
  async need(name: string, version?: number): Promise<Version> {
    const found = version
      ? await this.#store.get(versionKey(this.#user, name, version)).then(value => value && read({ value }))
      : await this.newest(name)
    if (!found)
      throw notFound(version ? `version ${version} of ${name}` : `object ${name}`, 'See `data list`.')
    return found
  }

  /** The version that was made of the same request before, which may have been sent again. `newest` was seen a moment ago. */
  async own(newest: Version | undefined, sent: string | undefined): Promise<Version | undefined> {
    if (sent === undefined) return undefined
    for (let found = newest; found && isRecent(found); ) {
      if (found.sent === sent) return found
      const older = await this.#store.get(versionKey(this.#user, found.name, found.version - 1))
      found = older && read({ value: older })
    }
    return undefined
  }

  /**
   * Makes `object` real: as version 1 of a new name, or as the next one when it may replace. Racing writers get versions of their own, the
   * same request that was sent twice gets one.
   */
  async add(object: Unversioned, o: { replace: boolean }): Promise<Version> {
    for (;;) {
      const newest = await this.newest(object.name)
      const own = await this.own(newest, object.sent)
      if (own) return own
      if (newest && !o.replace) throw exists(object.name)
      const version = { ...object, version: (newest?.version ?? 0) + 1 }
      const key = versionKey(this.#user, object.name, version.version)
      const { created } = await this.#store.create(key, Buffer.from(JSON.stringify(version)), randomUUID())
      if (created) return version
    }
  }

  /** As version 1 of a name that must be new; `newest` is being looked for meanwhile. */
  async addFirst(object: Unversioned, newest: Promise<Version | undefined>): Promise<Version> {
    const version = { ...object, version: 1 }
    const key = versionKey(this.#user, object.name, 1)
    const made = this.#store.create(key, Buffer.from(JSON.stringify(version)), randomUUID())
    const [{ created }, found] = await Promise.all([made, newest])
    if (!created) return this.add(object, { replace: false })
    if (!found || found.version === 1) return version
    // The older versions of it are being removed, the oldest first.
    await this.#store.delete(key)
    throw exists(object.name)
  }

  async list(o: {
    prefix?: string
    after?: string
    limit: number
  }): Promise<{ objects: Version[]; more: boolean }> {
    const prefix = Buffer.from(o.prefix ?? '')
    const start = before(this.#user, o.prefix ?? '')
    const mark = o.after === undefined ? start : after(this.#user, o.after)
    const objects: Version[] = []
    let from = mark > start ? mark : start
    for (;;) {
      const limit = o.limit + 1 - objects.length
      const page = await this.#store.list(spaceOf(this.#user), { after: from, limit, values: true })
      for (const found of page) {
        // Another version of the object before it.
        if (found.name < from) continue
        const version = read(found)
        if (!Buffer.from(version.name).subarray(0, prefix.length).equals(prefix))
          return { objects, more: false }
        if (objects.length === o.limit) return { objects, more: true }
        objects.push(version)
        from = pastObject(found.name)
      }
      if (page.length < limit) return { objects, more: false }
    }
  }

  /** Oldest first, so that a removal that was cut off is seen and can be repeated. Records before blobs: none names what is gone. */
  async remove(name: string): Promise<number> {
    const folder = folderOf(this.#user, name)
    const versions: { name: string; blob?: string }[] = []
    for (let page = 0; page === 0 || versions.length === page * 1000; page++) {
      const found = await this.#store.list(folder, {
        after: versions.at(-1)?.name,
        limit: 1000,
        values: true,
      })
      versions.push(...found.map(f => ({ name: f.name, blob: read(f).blob })))
    }
    if (versions.length === 0) throw notFound(`object ${name}`, 'See `data list`.')
    for (const version of versions.reverse()) {
      await this.#store.delete(version.name)
      if (version.blob) await this.#store.deleteBlob(version.blob)
    }
    return versions.length
  }
}

export function exists(name: string): Refusal {
  return new Refusal(409, 'exists', `There is an object ${name} already.`, {
    next: 'Add --replace (`?replace=true`) to store the next version, or take another name.',
  })
}

const read = (found: { value?: Buffer }) => JSON.parse(found.value!.toString()) as Version

/** A repeat comes as long as its caller waits. */
const REPEAT_MS = 5 * 60_000
const isRecent = ({ created }: Version) => Date.now() - Date.parse(created) < REPEAT_MS
