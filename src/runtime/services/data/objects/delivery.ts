import { createHash, type Hash } from 'node:crypto'
import { type Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/** A write of less is a call of the system for little; but whoever reads a small body should not wait for half of it. */
const SLAB_BYTES = { least: 64 * 1024, most: 256 * 1024 }
const SLABS_OF_A_BODY = 8

interface Digest {
  name: string
  bytes: number
  sha256: string
}

/**
 * Sends a body on and ends `to`. Where `whole` says what it must be, its last bytes are held back until the digest of all is that: whoever
 * reads then sees a body that is too short, and never a whole one that was altered. Throws what ended it early; `to` is broken off then.
 */
export async function deliver(
  body: Readable,
  to: Writable,
  o: { bytes: number; whole?: Digest; signal: AbortSignal },
): Promise<void> {
  await pipeline(body, new Delivery(to, o), { signal: o.signal })
}

/** TLS gives a body in pieces of 16 KiB. They are copied into two buffers in turn, so that none lives long, and none is written by itself. */
class Delivery extends Writable {
  readonly #to: Writable
  readonly #whole: Digest | undefined
  readonly #hash: Hash | undefined
  readonly #slabs: Buffer[]
  #bytes = 0
  /** So much of the first slab is filled. */
  #filled = 0
  #wake: (() => void) | undefined

  constructor(to: Writable, o: { bytes: number; whole?: Digest }) {
    super({ highWaterMark: SLAB_BYTES.most })
    this.#to = to
    this.#whole = o.whole
    this.#hash = o.whole && createHash('sha256')
    const size = slabFor(o.bytes)
    this.#slabs = [Buffer.allocUnsafeSlow(size), Buffer.allocUnsafeSlow(size)]
    const cut = () => {
      if (!to.writableFinished) this.destroy(new Error('whoever reads has gone'))
    }
    to.once('error', cut).once('close', cut)
  }

  override _write(piece: Buffer, _encoding: string, done: (thrown?: Error | null) => void): void {
    this.#hash?.update(piece)
    this.#bytes += piece.length
    this.#take(piece, done)
  }

  override _final(done: (thrown?: Error | null) => void): void {
    const sha256 = this.#hash?.digest('hex')
    if (this.#whole && (this.#bytes !== this.#whole.bytes || sha256 !== this.#whole.sha256))
      done(damaged(this.#whole, { bytes: this.#bytes, sha256 }))
    else this.#to.end(this.#slabs[0]!.subarray(0, this.#filled), () => done())
  }

  override _destroy(thrown: Error | null, done: (thrown: Error | null) => void): void {
    if (thrown) this.#to.destroy()
    done(thrown)
  }

  /** A full slab goes only when there is more: the last one waits for the digest. */
  #take(piece: Buffer, done: () => void): void {
    for (let from = 0; from < piece.length; ) {
      const slab = this.#slabs[0]
      if (!slab) {
        this.#wake = () => this.#take(piece.subarray(from), done)
        return
      }
      if (this.#filled === slab.length) {
        this.#send(slab)
        continue
      }
      const copied = piece.copy(slab, this.#filled, from)
      this.#filled += copied
      from += copied
    }
    done()
  }

  #send(slab: Buffer): void {
    this.#slabs.shift()
    this.#filled = 0
    this.#to.write(slab, thrown => {
      // Its error comes by itself.
      if (thrown) return
      this.#slabs.push(slab)
      const wake = this.#wake
      this.#wake = undefined
      wake?.()
    })
  }
}

function slabFor(bytes: number): number {
  const share = Math.ceil(bytes / SLABS_OF_A_BODY)
  return Math.max(1, Math.min(bytes, SLAB_BYTES.most, Math.max(share, SLAB_BYTES.least)))
}

const damaged = ({ name, bytes, sha256 }: Digest, found: { bytes: number; sha256: string | undefined }) =>
  new Error(
    `${name} is damaged in the store: ${found.bytes} bytes of sha256 ${found.sha256}, not ${bytes} of ${sha256}`,
  )
