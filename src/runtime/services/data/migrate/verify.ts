import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { EXIT, Failure } from '../../../../errors.ts'
import { inLanes } from '../store/s3/lanes.ts'
import { except, foreign, type Moving } from './copy.ts'
import { batches, blobNames, recordNames, sides } from './names.ts'

const RECORDS_AT_ONCE = 32
const BLOBS_AT_ONCE = 3

/** Reads all of both back. */
export async function verifyBlobs({ from, to, signal, tick }: Moving): Promise<void> {
  for await (const batch of batches(sides(blobNames(from), blobNames(to)), BLOBS_AT_ONCE))
    await inLanes(BLOBS_AT_ONCE, batch, async side => {
      signal.throwIfAborted()
      if (!side.from) throw foreign(`an object ${side.name}`)
      const [here, there] = await Promise.all([from.getBlob(side.name), to.getBlob(side.name)])
      const same = there && (await digestOf(here!.body)) === (await digestOf(there.body))
      here!.body.destroy()
      if (!same) {
        // What came damaged is copied anew by the next run.
        await to.deleteBlob(side.name)
        throw different(`The object ${side.name}`)
      }
      tick(here!.bytes)
    })
}

export async function verifyRecords({
  from,
  to,
  signal,
  tick,
  mark,
}: Moving & { mark: string }): Promise<void> {
  const wanted = except(sides(recordNames(from), recordNames(to)), mark)
  for await (const batch of batches(wanted, RECORDS_AT_ONCE))
    await inLanes(RECORDS_AT_ONCE, batch, async side => {
      signal.throwIfAborted()
      if (!side.from) throw foreign(`a record ${side.name}`)
      const [here, there] = await Promise.all([from.get(side.name), to.get(side.name)])
      if (!there?.equals(here!)) {
        await to.delete(side.name)
        throw different(`The record ${side.name}`)
      }
      tick(here!.length)
    })
}

async function digestOf(body: Readable): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of body) hash.update(piece as Buffer)
  return hash.digest('hex')
}

const different = (what: string) =>
  new Failure(`${what} is not the same in Ceph as here.`, {
    exit: EXIT.partial,
    why: 'it was read back and compared; its copy was removed again',
    next: 'Run the same command again: it copies what is missing and compares everything.',
  })
