import { accessSync, constants, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { EXIT, Failure, reasonOf } from '../../../../errors.ts'
import { FileBlobs } from './blobs.ts'
import { checkFormat, writeFormat } from './format.ts'
import { lockStore } from './lock.ts'
import { refuseMoved } from './moved.ts'
import { LmdbRecords } from './records.ts'
import { checkRecord, type ObjectStore, type Page } from './store.ts'
import { syncFolder } from './sync.ts'

/**
 * Opens the store in `folder`, or makes a new one there, and holds it under a lock until it is closed. Throws a Failure: exit 3 when the
 * folder cannot be used or was written by a newer version (it is then untouched), exit 7 when another process holds it, 9 when it was moved elsewhere.
 */
export async function openEmbedded(folder: string): Promise<EmbeddedStore> {
  prepared(folder)
  refuseMoved(folder)
  checkFormat(folder)
  const unlock = await lockStore(join(folder, 'lock')).catch(thrown => {
    throw unusable(folder, thrown)
  })
  try {
    // Whoever held the lock before us may just have made it.
    if (!checkFormat(folder)) writeFormat(folder)
    const records = new LmdbRecords(join(folder, 'records'))
    const blobs = new FileBlobs(join(folder, 'blobs'))
    syncFolder(join(folder, 'records'))
    syncFolder(folder)
    return new LmdbAndFiles({ records, blobs, unlock })
  } catch (thrown) {
    unlock()
    throw unusable(folder, thrown)
  }
}

/** What only a move needs. */
export interface EmbeddedStore extends ObjectStore {
  writerOf(name: string): string | undefined
}

class LmdbAndFiles implements EmbeddedStore {
  readonly #records: LmdbRecords
  readonly #blobs: FileBlobs
  readonly #unlock: () => void
  #closed?: Promise<void>

  constructor(o: { records: LmdbRecords; blobs: FileBlobs; unlock: () => void }) {
    this.#records = o.records
    this.#blobs = o.blobs
    this.#unlock = o.unlock
  }

  async create(name: string, record: Buffer, writer: string) {
    checkRecord(name, record, writer)
    return this.#records.create(name, record, writer)
  }

  async get(name: string) {
    return this.#records.get(name)
  }

  async list(prefix: string, o: Page) {
    return this.#records.list(prefix, o)
  }

  delete(name: string) {
    return this.#records.delete(name)
  }

  writerOf(name: string) {
    return this.#records.writerOf(Buffer.from(name))
  }

  putBlob(body: Readable, as?: string) {
    return this.#blobs.put(body, as)
  }

  getBlob(blob: string, range?: { from: number; to: number }) {
    return this.#blobs.get(blob, range)
  }

  deleteBlob(blob: string) {
    return this.#blobs.delete(blob)
  }

  listBlobs(o: { after?: string; limit: number }) {
    return this.#blobs.list(o)
  }

  close(): Promise<void> {
    this.#closed ??= this.#records.close().finally(this.#unlock)
    return this.#closed
  }
}

function prepared(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (thrown) {
    throw unusable(folder, thrown)
  }
}

function unusable(folder: string, thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown
  return new Failure(`The folder ${folder} cannot hold the store.`, {
    exit: EXIT.preflight,
    why: reasonOf(thrown),
    next: 'Give a folder on a disk with free room that you may write to.',
    cause: thrown,
  })
}
