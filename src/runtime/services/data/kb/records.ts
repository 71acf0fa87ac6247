import { randomBytes } from 'node:crypto'
import { inverted } from '../inverted.ts'
import type { ObjectStore } from '../store/store.ts'
import { numberOf } from './names.ts'

const PAGE = 1000

export interface Versioned<T> {
  n: number
  value: T
}

/** The newest version under a prefix. */
export async function newest<T>(store: ObjectStore, prefix: string): Promise<Versioned<T> | undefined> {
  const [first] = await store.list(prefix, { limit: 1, values: true })
  return first && { n: numberOf(first.name), value: parse<T>(first.value!) }
}

/** Creates version `n`; false when somebody else has it. */
export async function createVersion(
  store: ObjectStore,
  prefix: string,
  n: number,
  value: object,
): Promise<boolean> {
  return createOnce(store, `${prefix}${inverted(n)}`, Buffer.from(JSON.stringify(value)))
}

export async function createOnce(store: ObjectStore, name: string, bytes: Buffer): Promise<boolean> {
  const writer = randomBytes(12).toString('hex')
  const made = await store.create(name, bytes, writer)
  return made.created || made.writer === writer
}

/** Everything under a prefix, in pages, so that a large one is never held whole. */
export async function* entries(
  store: ObjectStore,
  prefix: string,
  o: { values: boolean; after?: string },
): AsyncGenerator<{ name: string; value?: Buffer }> {
  let after = o.after
  for (;;) {
    const page = await store.list(prefix, { after, limit: PAGE, values: o.values })
    yield* page
    if (page.length < PAGE) return
    after = page.at(-1)!.name
  }
}

/** The newest version of each thing under a prefix, in name order. */
export async function* heads<T>(
  store: ObjectStore,
  prefix: string,
  after?: string,
): AsyncGenerator<Versioned<T> & { of: string }> {
  let last = ''
  for await (const { name, value } of entries(store, prefix, { values: true, after })) {
    const of = name.slice(0, name.lastIndexOf('/') + 1)
    if (of === last) continue
    last = of
    yield { of, n: numberOf(name), value: parse<T>(value!) }
  }
}

/** Deletes what is under a prefix, or only what is older than a version of it; oldest first, so that no older one comes to the front. */
export async function purge(store: ObjectStore, prefix: string, olderThan?: number): Promise<number> {
  const after = olderThan === undefined ? undefined : `${prefix}${inverted(olderThan)}`
  const all: string[] = []
  for await (const { name } of entries(store, prefix, { values: false, after })) all.push(name)
  for (const name of all.reverse()) await store.delete(name)
  return all.length
}

const parse = <T>(bytes: Buffer) => JSON.parse(bytes.toString('utf8')) as T
