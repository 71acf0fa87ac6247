import type { Readable } from 'node:stream'
import { setFlagsFromString } from 'node:v8'
import type { S3Config } from '../../../../../contracts/s3.ts'
import { type Log, silent } from '../../../../../log.ts'
import { checkRecord, type Far, type ObjectStore, type Page } from '../store.ts'
import { S3Blobs } from './blobs.ts'
import { checkBuckets } from './check.ts'
import { Gateways } from './gateways.ts'
import { keepAbandoned } from './leftovers.ts'
import { S3Records } from './records.ts'

/**
 * Opens the store in these buckets; many processes may hold it at once. Throws a Failure: exit 3 where a bucket is missing or closed to us, 4
 * where no gateway answers within the deadline, 45 s, 9 where a bucket is versioned.
 */
export async function openS3(
  config: S3Config,
  o: { log?: Log; deadlineMs?: number } = {},
): Promise<ObjectStore> {
  const log = o.log ?? silent
  growsFreely()
  const gateways = new Gateways(config, { ...o, log })
  try {
    await checkBuckets(config, gateways)
  } catch (thrown) {
    gateways.close()
    throw thrown
  }
  return new S3Store({ config, gateways, log })
}

/** As much as a reader holds of a large body anyway. */
const INLINE_BYTES = 1024 * 1024

/**
 * The pieces of a stream outlive V8's young generation, and their bytes count as its heap. One of 25 MiB then was collected as a whole
 * for each 20 MiB that passed, which took more processor than all else. It may grow to three times what is alive.
 */
function growsFreely(): void {
  setFlagsFromString('--heap-growing-percent=200')
}

class S3Store implements ObjectStore {
  readonly far: Far
  readonly #records: S3Records
  readonly #blobs: S3Blobs
  readonly #end: () => void

  constructor(o: { config: S3Config; gateways: Gateways; log: Log }) {
    this.#records = new S3Records(o.config, o.gateways)
    this.#blobs = new S3Blobs(o.config, o.gateways)
    this.far = {
      inlineBytes: INLINE_BYTES,
      read: (name, most) => this.#records.read(name, most),
      open: name => this.#records.open(name),
      mark: (name, mark) => this.#records.mark(name, mark),
    }
    const stop = keepAbandoned(o)
    this.#end = () => {
      stop()
      o.gateways.close()
    }
  }

  async create(name: string, record: Buffer, writer: string) {
    checkRecord(name, record, writer)
    return this.#records.create(name, record, writer)
  }

  async get(name: string) {
    return (await this.#records.read(name))?.record
  }

  list(prefix: string, o: Page) {
    return this.#records.list(prefix, o)
  }

  delete(name: string) {
    return this.#records.delete(name)
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

  async close(): Promise<void> {
    this.#end()
  }
}
