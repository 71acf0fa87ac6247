import { once } from 'node:events'
import type { Readable } from 'node:stream'

/** Waits until a stream that is read by `read()` has more, or is at its end. Throws what it ended with. */
export async function moreOrEnd(body: Readable): Promise<void> {
  if (body.errored) throw body.errored
  const over = new AbortController()
  const either = ['readable', 'end'].map(event => once(body, event, { signal: over.signal }))
  await Promise.race(either).finally(() => over.abort())
}
