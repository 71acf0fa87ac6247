import { randomUUID } from 'node:crypto'
import type { StoreConfig } from '../../../../contracts/s3.ts'
import { EXIT, Failure } from '../../../../errors.ts'
import type { Log } from '../../../../log.ts'
import { type EmbeddedStore, openEmbedded } from '../store/embedded.ts'
import { movedFrom, writeMoved } from '../store/moved.ts'
import { openStore } from '../store/open.ts'
import type { ObjectStore } from '../store/store.ts'
import { copyBlobs, copyRecords } from './copy.ts'
import { blobNames, recordNames } from './names.ts'
import { Tick } from './tick.ts'
import { verifyBlobs, verifyRecords } from './verify.ts'

/** In the store that is moved to: which one it is filled from. It stays, so that no second one is moved there. */
const MARK = 'moved/from'

export interface Migrated {
  records: number
  blobs: number
  bytes: number
  /** It had been done before; nothing was touched. */
  before?: string
}

/**
 * Moves the embedded store in `from` into the object store `to`: copies what is missing there, under the same names, then reads everything back
 * and compares, and only then marks `from` as moved, so that no service opens it any more. Holds the lock of `from` all the while: nothing
 * is written meanwhile. Killed at any moment, the same call goes on. Throws a Failure: exit 7 while a service holds `from`, 9 when `to` holds
 * something else.
 */
export async function migrate(o: {
  from: string
  to: StoreConfig
  log: Log
  signal: AbortSignal
  say(line: string): void
}): Promise<Migrated> {
  const done = movedFrom(o.from)
  if (done) return { records: done.records, blobs: done.blobs, bytes: done.bytes, before: done.at }
  const from = await openEmbedded(o.from)
  try {
    const to = await openStore(o.to, { log: o.log })
    try {
      return await move({ ...o, from, to, folder: o.from })
    } finally {
      await to.close()
    }
  } finally {
    await from.close()
  }
}

/** The same on stores that are open. */
export async function move(o: {
  from: EmbeddedStore
  to: ObjectStore
  folder: string
  signal: AbortSignal
  say(line: string): void
}): Promise<Migrated> {
  const { from, to, signal } = o
  await claim(o)
  const tick = new Tick(o.say)
  const blobs = await copyBlobs({ from, to, signal, tick: tick.of('objects copied') })
  const records = await copyRecords({ from, to, signal, tick: tick.of('records copied'), mark: MARK })
  await verifyBlobs({ from, to, signal, tick: tick.of('objects compared') })
  await verifyRecords({ from, to, signal, tick: tick.of('records compared'), mark: MARK })
  const all = { records, blobs: blobs.count, bytes: blobs.bytes }
  writeMoved(o.folder, { ...all, at: new Date().toISOString() })
  return all
}

/** The store that is moved to belongs to this move alone: it was empty, or an earlier run of this move was here. */
async function claim({ from, to, folder }: { from: EmbeddedStore; to: ObjectStore; folder: string }) {
  const id = await identityOf(from)
  const mark = await to.get(MARK)
  if (mark?.toString() === id) return
  const [name] = mark ? [MARK] : [...(await first(recordNames(to))), ...(await first(blobNames(to)))]
  if (name !== undefined)
    throw new Failure('The store in Ceph holds something already.', {
      exit: EXIT.unsafe,
      why: mark ? 'another store was moved there' : `there is ${name}, which did not come from ${folder}`,
      next: 'Nothing was changed. Give buckets that are empty; a cluster that runs on Ceph already needs no move.',
    })
  await to.create(MARK, Buffer.from(id), randomUUID())
}

/** Made at the first run; it tells one embedded store from another, wherever its folder lies. */
async function identityOf(from: EmbeddedStore): Promise<string> {
  const name = 'moved/identity'
  await from.create(name, Buffer.from(randomUUID()), randomUUID())
  return (await from.get(name))!.toString()
}

async function first(names: AsyncIterable<{ name: string }>): Promise<string[]> {
  for await (const { name } of names) return [name]
  return []
}
