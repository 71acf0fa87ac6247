import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { isMissing } from './faults.ts'
import type { Gateways } from './gateways.ts'

/** A gateway that sends nothing for so long in the middle of a body may be dead; from there on another one is asked. */
const SILENCE_MS = 5_000
/** So often in a row without one byte more. */
const TRIES = 8
const BUFFER_BYTES = 1024 * 1024

type Place = { Bucket: string; Key: string }
interface Part {
  bytes: number
  body: IncomingMessage
}

/** Undefined where there is no such object. A body that is cut goes on where it stopped, if that is the same object still. */
export async function download(
  gateways: Gateways,
  at: Place,
  range?: { from: number; to: number },
): Promise<{ bytes: number; headers: IncomingHttpHeaders; body: Readable } | undefined> {
  const first = await part(gateways, at, range)
  if (!first) return undefined
  const from = range?.from ?? 0
  const to = range?.to ?? first.bytes - 1
  const { headers } = first.body
  const again = (next: number) => part(gateways, at, { from: next, to, etag: headers.etag })
  return { bytes: first.bytes, headers, body: new Whole({ first: first.body, from, to, again }) }
}

/** One body of as many answers as it takes. */
class Whole extends Readable {
  readonly #again: (next: number) => Promise<Part | undefined>
  readonly #to: number
  #next: number
  #source: Readable | undefined
  #silence: NodeJS.Timeout | undefined
  #tries = 0

  constructor(o: {
    first: Readable
    from: number
    to: number
    again(next: number): Promise<Part | undefined>
  }) {
    super({ highWaterMark: BUFFER_BYTES })
    this.#again = o.again
    this.#to = o.to
    this.#next = o.from
    if (o.from > o.to) {
      o.first.resume()
      this.push(null)
    } else this.#follow(o.first)
  }

  /** Only while somebody waits does silence count. */
  override _read(): void {
    if (!this.#source) return
    this.#silence ??= setTimeout(
      () => this.#cut(new Error(`nothing came for ${SILENCE_MS / 1000} s`)),
      SILENCE_MS,
    )
    this.#source.resume()
  }

  override _destroy(thrown: Error | null, done: (thrown: Error | null) => void): void {
    this.#leave()
    done(thrown)
  }

  #follow(source: Readable): void {
    this.#source = source
    source.on('data', (piece: Buffer) => {
      if (this.#source !== source) return
      this.#next += piece.length
      this.#tries = 0
      this.#silence?.refresh()
      if (!this.push(piece)) {
        source.pause()
        this.#still()
      }
      if (this.#next > this.#to) {
        this.#leave()
        this.push(null)
      }
    })
    source.once('error', thrown => this.#source === source && this.#cut(thrown))
    source.once('close', () => this.#source === source && this.#cut(new Error('the body ended too early')))
    source.pause()
  }

  #cut(thrown: Error): void {
    this.#leave()
    if (this.#tries++ >= TRIES) return void this.destroy(thrown)
    this.#again(this.#next).then(
      found => {
        if (this.destroyed) return void found?.body.destroy()
        if (!found) return void this.destroy(new Error('it was removed while it was read', { cause: thrown }))
        this.#follow(found.body)
        this._read()
      },
      (failed: Error) => this.destroy(failed),
    )
  }

  #leave(): void {
    this.#still()
    const source = this.#source
    this.#source = undefined
    // What comes after this is of no use, and its error is of nobody's interest.
    source?.on('error', () => {})
    if (this.#next <= this.#to) source?.destroy()
    else source?.resume()
  }

  #still(): void {
    clearTimeout(this.#silence)
    this.#silence = undefined
  }
}

async function part(
  gateways: Gateways,
  at: Place,
  range?: { from: number; to: number; etag?: string },
): Promise<Part | undefined> {
  const headers = range && {
    range: `bytes=${range.from}-${range.to}`,
    ...(range.etag && { 'if-match': range.etag }),
  }
  const { value } = await gateways.ask({ says: `read ${at.Key}` }, (_, signal, wire) =>
    wire.send({ method: 'GET', ...at, headers }, signal).catch((thrown: unknown) => {
      if (!isMissing(thrown)) throw thrown
    }),
  )
  if (!value) return undefined
  const total = value.headers['content-range']?.split('/')[1]
  return { bytes: Number(total ?? value.headers['content-length']), body: value }
}
