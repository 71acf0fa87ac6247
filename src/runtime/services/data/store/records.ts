import { closeSync, existsSync, openSync, readSync, statfsSync, statSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { open, type RootDatabase } from 'lmdb'
import { EXIT, Failure, reasonOf } from '../../../../errors.ts'
import type { Page } from './store.ts'

/** LMDB writes whole pages, and a few more for the tree and its free list. */
const SLACK_BYTES = 1024 * 1024
/** What a commit writes beside its values at most: pages of the tree on the way to them, and of the free list. */
const COMMIT_BYTES = 256 * 1024
const REASON_MS = 100
/** The library takes the flags of a put here, where its types name a version alone. */
const ONCE = { noOverwrite: true } as unknown as number

/** The ordered, durable half of the embedded store: names and small values in LMDB. A value is: length of the writer, writer, record. */
export class LmdbRecords {
  readonly #db: RootDatabase<Buffer, Buffer>
  readonly #folder: string
  /** Of values that are being written: they may share one commit. */
  #writing = 0

  constructor(folder: string) {
    this.#folder = folder
    this.#db = opened(folder)
  }

  async create(name: string, record: Buffer, writer: string): Promise<{ created: boolean; writer: string }> {
    const key = Buffer.from(name)
    const value = Buffer.concat([Buffer.from([writer.length]), Buffer.from(writer), record])
    this.#checkRoom(value.length)
    this.#writing += value.length
    const created = await this.#written(value.length, () => this.#db.put(key, value, ONCE)).finally(() => {
      this.#writing -= value.length
    })
    return created ? { created, writer } : { created, writer: this.writerOf(key) ?? '' }
  }

  get(name: string): Buffer | undefined {
    const value = this.#db.get(Buffer.from(name))
    return value && recordOf(value)
  }

  list(prefix: string, o: Page): { name: string; value?: Buffer }[] {
    const start = o.after !== undefined && o.after >= prefix ? o.after : prefix
    const range = {
      start: Buffer.from(start),
      end: endOf(prefix),
      exclusiveStart: start === o.after,
      limit: o.limit,
    }
    if (!o.values) return Array.from(this.#db.getKeys(range), key => ({ name: key.toString() }))
    return Array.from(this.#db.getRange(range), ({ key, value }) => ({
      name: key.toString(),
      value: recordOf(value).subarray(0, o.most),
    }))
  }

  async delete(name: string): Promise<void> {
    await this.#written(0, () => this.#db.remove(Buffer.from(name)))
  }

  async close(): Promise<void> {
    await this.#db.close()
  }

  writerOf(key: Buffer): string | undefined {
    const value = this.#db.get(key)
    return value?.subarray(1, 1 + value[0]!).toString()
  }

  /**
   * A commit that fails for want of room now and then damages the library's memory, which ends the process: so none is begun that may fail.
   * What is removed makes room, and is tried in any case.
   */
  #checkRoom(bytes: number): void {
    const { bavail, bsize } = statfsSync(this.#folder)
    if (bavail * bsize >= this.#writing + bytes + COMMIT_BYTES) return
    throw Object.assign(new Error('A record was not written: there is no room on the disk.'), {
      code: 'ENOSPC',
    })
  }

  /** Resolves when the commit was fsynced. LMDB says of a full disk "input/output error", so we look. */
  async #written(bytes: number, write: () => Promise<boolean>): Promise<boolean> {
    try {
      return await write()
    } catch (thrown) {
      // The library does not always settle the promise with the reason.
      const reason = (thrown as { commitError?: Promise<unknown> }).commitError?.catch(said => said)
      const commit = await Promise.race([reason ?? thrown, sleep(REASON_MS, thrown)])
      const { bavail, bsize } = await statfs(this.#folder)
      const full = bavail * bsize < bytes * 2 + SLACK_BYTES || isFull(commit)
      throw Object.assign(new Error(`A record was not written: ${reasonOf(commit)}.`, { cause: commit }), {
        code: full ? 'ENOSPC' : 'EIO',
      })
    }
  }
}

function opened(folder: string): RootDatabase<Buffer, Buffer> {
  try {
    checkFile(join(folder, 'data.mdb'))
    return open<Buffer, Buffer>({
      path: folder,
      noSubdir: false,
      encoding: 'binary',
      keyEncoding: 'binary',
      cache: false,
      // A resolved write was fsynced; parallel writes share one commit.
      overlappingSync: false,
      // With it a commit that fails rejects a promise that nobody can reach, and that ends the process.
      eventTurnBatching: false,
    })
  } catch (thrown) {
    throw new Failure(`The records in ${folder} cannot be opened.`, {
      exit: EXIT.preflight,
      why: reasonOf(thrown),
      next: 'Check that folder, or put it back from a copy; nothing was changed.',
      cause: thrown,
    })
  }
}

/** LMDB marks its file here; given any other, the library does not refuse it but crashes the process. */
const MAGIC = { at: 24, bytes: Buffer.from('dec0efbe02000000', 'hex') }

function checkFile(file: string): void {
  if (!existsSync(file) || statSync(file).size === 0) return
  const found = Buffer.alloc(MAGIC.bytes.length)
  const fd = openSync(file, 'r')
  readSync(fd, found, 0, found.length, MAGIC.at)
  closeSync(fd)
  if (!found.equals(MAGIC.bytes))
    throw new Error(`${file} is damaged: it does not begin as an LMDB file does`)
}

const recordOf = (value: Buffer) => value.subarray(1 + value[0]!)

/** The first name after all that begin with `prefix`; names are ASCII. */
function endOf(prefix: string): Buffer {
  const end = Buffer.from(prefix)
  end[end.length - 1]! += 1
  return end
}

const FULL_ERRNO = [27, 28, 122]
const isFull = (thrown: unknown) =>
  FULL_ERRNO.includes(Number((thrown as { code?: unknown }).code)) ||
  /MDB_MAP_FULL|ENOSPC/.test(String(thrown))
