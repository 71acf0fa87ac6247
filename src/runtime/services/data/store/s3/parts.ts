import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'

/** S3 takes no less for any part but the last, and at most 10,000 of them: 80 GB. */
export const PART_BYTES = 8 * 1024 * 1024

/** A body in parts of one size, the last one shorter or empty, with the digest and length of all of it. */
export class Parts {
  readonly #hash = createHash('sha256')
  readonly #body: Readable
  #bytes = 0

  constructor(body: Readable) {
    this.#body = body
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, undefined> {
    let held: Buffer[] = []
    let size = 0
    for await (const piece of this.#body) {
      let chunk: Buffer = Buffer.isBuffer(piece) ? piece : Buffer.from(piece)
      this.#hash.update(chunk)
      this.#bytes += chunk.length
      while (size + chunk.length >= PART_BYTES) {
        const room = PART_BYTES - size
        yield Buffer.concat([...held, chunk.subarray(0, room)], PART_BYTES)
        chunk = chunk.subarray(room)
        held = []
        size = 0
      }
      held.push(chunk)
      size += chunk.length
    }
    if (size > 0) yield Buffer.concat(held, size)
  }

  /** Once the iterator has ended. */
  end(): { bytes: number; sha256: string } {
    return { bytes: this.#bytes, sha256: this.#hash.digest('hex') }
  }
}
