import type { ObjectStore } from '../store/store.ts'

const PAGE = 1000

/** The name of every record, in order. A list wants a prefix, so there is one for each character that a name may begin with. */
export async function* recordNames(store: ObjectStore): AsyncGenerator<{ name: string }> {
  for (let code = '!'.charCodeAt(0); code <= '~'.charCodeAt(0); code++) {
    const prefix = String.fromCharCode(code)
    for (let after: string | undefined; ; ) {
      const page = await store.list(prefix, { after, limit: PAGE })
      yield* page
      if (page.length < PAGE) break
      after = page.at(-1)!.name
    }
  }
}

export async function* blobNames(store: ObjectStore): AsyncGenerator<{ name: string }> {
  for (let after: string | undefined; ; ) {
    const page = await store.listBlobs({ after, limit: PAGE })
    for (const { blob } of page) yield { name: blob }
    if (page.length < PAGE) return
    after = page.at(-1)!.blob
  }
}

export interface Side {
  name: string
  from: boolean
  to: boolean
}

/** Two lists in order as one: each name, and which of the two has it. */
export async function* sides(
  from: AsyncIterable<{ name: string }>,
  to: AsyncIterable<{ name: string }>,
): AsyncGenerator<Side> {
  const [one, other] = [from[Symbol.asyncIterator](), to[Symbol.asyncIterator]()]
  let [a, b] = [await one.next(), await other.next()]
  while (!a.done || !b.done) {
    const name = !a.done && (b.done || a.value.name <= b.value.name) ? a.value.name : (b.value as Side).name
    const has = { from: !a.done && a.value.name === name, to: !b.done && b.value.name === name }
    yield { name, ...has }
    if (has.from) a = await one.next()
    if (has.to) b = await other.next()
  }
}

/** So many at a time, for what is done side by side. */
export async function* batches<T>(of: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let batch: T[] = []
  for await (const one of of) {
    batch.push(one)
    if (batch.length < size) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}
