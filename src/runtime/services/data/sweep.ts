import { reasonOf } from '../../../errors.ts'
import type { Log } from '../../../log.ts'
import { fallsToUs } from './daily.ts'
import { HEAD_BYTES, headOf } from './objects/record.ts'
import type { ObjectStore } from './store/store.ts'

/** Far longer than an upload may take from its blob to its record. */
const AGE_MS = 60 * 60_000
/** An instance may have been frozen in between. */
const SHARED_AGE_MS = 24 * 60 * 60_000
const EVERY_MS = 6 * 60 * 60_000
const BATCH = 10_000

/** Sweeps now and then until it is stopped; the returned function waits for a sweep that runs. `shared`: one of the instances does it, once a day. */
export function keepSwept(store: ObjectStore, o: { log: Log; shared: boolean }): () => Promise<void> {
  const { log, shared } = o
  const stop = new AbortController()
  const act = async () => {
    if (shared && !(await fallsToUs(store, 'sweep'))) return 0
    const age = shared ? SHARED_AGE_MS : AGE_MS
    return sweep(store, { olderThan: Date.now() - age, signal: stop.signal })
  }
  const once = () =>
    act().then(
      removed => removed > 0 && log.info({ removed }, 'blobs that no record names were removed'),
      thrown => log.warn({ reason: reasonOf(thrown) }, 'the sweep of blobs failed; the next one follows'),
    )
  let running: Promise<unknown> = once()
  const timer = setInterval(() => {
    running = running.then(once)
  }, EVERY_MS)
  timer.unref()
  return async () => {
    clearInterval(timer)
    stop.abort()
    await running
  }
}

/** Removes the blobs stored before `olderThan` (Unix milliseconds) that no record names: uploads that ended between blob and record. */
export async function sweep(
  store: ObjectStore,
  o: { olderThan: number; signal?: AbortSignal },
): Promise<number> {
  let removed = 0
  for (let after: string | undefined; !o.signal?.aborted; ) {
    const page = await store.listBlobs({ after, limit: BATCH })
    if (page.length === 0) break
    after = page.at(-1)!.blob
    const unnamed = new Set(page.filter(b => b.storedAt < o.olderThan).map(b => b.blob))
    if (unnamed.size > 0) await dropNamed(store, unnamed, o.signal)
    if (o.signal?.aborted) break
    for (const blob of unnamed) await store.deleteBlob(blob)
    removed += unnamed.size
  }
  return removed
}

/** The blobs are listed first: whatever gets its name while we look is younger than the guard. */
async function dropNamed(store: ObjectStore, blobs: Set<string>, signal?: AbortSignal): Promise<void> {
  for (let after: string | undefined; !signal?.aborted && blobs.size > 0; ) {
    const page = await store.list('obj/', { after, limit: 1000, values: true, most: HEAD_BYTES })
    if (page.length === 0) return
    for (const { value } of page) blobs.delete(headOf(value!).blob ?? '')
    after = page.at(-1)!.name
  }
}
