import { EXIT, Failure } from '../../../../errors.ts'
import type { EmbeddedStore } from '../store/embedded.ts'
import { inLanes } from '../store/s3/lanes.ts'
import type { ObjectStore } from '../store/store.ts'
import { batches, blobNames, recordNames, type Side, sides } from './names.ts'

const RECORDS_AT_ONCE = 32
const BLOBS_AT_ONCE = 3

export interface Moving {
  from: EmbeddedStore
  to: ObjectStore
  signal: AbortSignal
  /** Hears of each that is done. */
  tick(bytes: number): void
}

/** Under the names that they have, since records name them. What an earlier run copied is compared later, and not copied again. */
export async function copyBlobs({
  from,
  to,
  signal,
  tick,
}: Moving): Promise<{ count: number; bytes: number }> {
  const done = { count: 0, bytes: 0 }
  for await (const batch of batches(sides(blobNames(from), blobNames(to)), BLOBS_AT_ONCE))
    await inLanes(BLOBS_AT_ONCE, batch, async side => {
      signal.throwIfAborted()
      if (!side.from) throw foreign(`an object ${side.name}`)
      const blob = (await from.getBlob(side.name))!
      done.count++
      done.bytes += blob.bytes
      try {
        if (!side.to) await to.putBlob(blob.body, side.name)
      } finally {
        blob.body.destroy()
      }
      tick(blob.bytes)
    })
  return done
}

/** With their writers, so that whoever repeats a create after the move still knows its own. */
export async function copyRecords({
  from,
  to,
  signal,
  tick,
  mark,
}: Moving & { mark: string }): Promise<number> {
  let count = 0
  const wanted = except(sides(recordNames(from), recordNames(to)), mark)
  for await (const batch of batches(wanted, RECORDS_AT_ONCE))
    await inLanes(RECORDS_AT_ONCE, batch, async side => {
      signal.throwIfAborted()
      if (!side.from) throw foreign(`a record ${side.name}`)
      count++
      const record = (await from.get(side.name))!
      if (!side.to) await to.create(side.name, record, from.writerOf(side.name)!)
      tick(record.length)
    })
  return count
}

export async function* except(of: AsyncIterable<Side>, name: string): AsyncGenerator<Side> {
  for await (const side of of) if (side.name !== name) yield side
}

export const foreign = (what: string) =>
  new Failure(`The store in Ceph holds ${what}, which did not come from here.`, {
    exit: EXIT.unsafe,
    next: 'Something else writes to these buckets. Stop it, or give others that are empty.',
  })
