import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
} from '@aws-sdk/client-s3'
import { faultOf, isMissing } from './faults.ts'
import type { Gateways } from './gateways.ts'
import { PART_BYTES } from './parts.ts'

const PARTS_AT_A_TIME = 3
/** The quickest that a part may be given up as stalled. */
const PATIENCE_MS = 2_000 + PART_BYTES / 1_000
/** Joining the parts of the largest object takes a gateway some seconds. */
const JOIN_PATIENCE_MS = 15_000

type Place = { Bucket: string; Key: string }

/** Stores the parts as one object. Nothing is seen of it before it is whole; what fails leaves nothing, or a part that the sweep takes. */
export async function upload(gateways: Gateways, at: Place, parts: AsyncIterator<Buffer>): Promise<void> {
  const first = await parts.next()
  const Body = first.done ? Buffer.alloc(0) : first.value
  // Only the last one is shorter.
  if (Body.length < PART_BYTES) {
    await parts.next()
    await gateways.ask({ says: 'store a blob', patienceMs: PATIENCE_MS }, (_, abortSignal, wire) =>
      wire.send({ method: 'PUT', ...at, body: Body }, abortSignal),
    )
    return
  }
  const { value } = await gateways.ask({ says: 'begin a blob' }, (client, abortSignal) =>
    client.send(new CreateMultipartUploadCommand(at), { abortSignal }),
  )
  const whole = new Multipart(gateways, { ...at, UploadId: value.UploadId! })
  try {
    await whole.add(Body)
    for (let next = await parts.next(); !next.done; next = await parts.next()) await whole.add(next.value)
    await whole.join()
  } catch (thrown) {
    await whole.abandon()
    throw thrown
  }
}

class Multipart {
  readonly #gateways: Gateways
  readonly #at: Place & { UploadId: string }
  readonly #sending = new Set<Promise<void>>()
  readonly #done: { PartNumber: number; ETag: string | undefined }[] = []
  #bytes = 0
  #count = 0
  #failed: { thrown: unknown } | undefined

  constructor(gateways: Gateways, at: Place & { UploadId: string }) {
    this.#gateways = gateways
    this.#at = at
  }

  /** Returns when there is room for one more part in memory. */
  async add(Body: Buffer): Promise<void> {
    const PartNumber = ++this.#count
    this.#bytes += Body.length
    const sent = this.#send(PartNumber, Body)
      .catch((thrown: unknown) => {
        this.#failed ??= { thrown }
      })
      .finally(() => this.#sending.delete(sent))
    this.#sending.add(sent)
    if (this.#sending.size >= PARTS_AT_A_TIME) await Promise.race(this.#sending)
    if (this.#failed) throw this.#failed.thrown
  }

  async join(): Promise<void> {
    await Promise.all(this.#sending)
    if (this.#failed) throw this.#failed.thrown
    const Parts = this.#done.toSorted((one, other) => one.PartNumber - other.PartNumber)
    const command = { ...this.#at, MultipartUpload: { Parts } }
    await this.#gateways.ask({ says: 'join a blob', patienceMs: JOIN_PATIENCE_MS }, (client, abortSignal) =>
      client.send(new CompleteMultipartUploadCommand(command), { abortSignal }).then(
        () => undefined,
        thrown => this.#joinedBefore(thrown),
      ),
    )
  }

  /** After those that still run, or they would come to an upload that is gone. Whatever stays the sweep takes. */
  async abandon(): Promise<void> {
    await Promise.all(this.#sending)
    await this.#gateways
      .ask({ says: 'abandon a blob' }, (client, abortSignal) =>
        client.send(new AbortMultipartUploadCommand(this.#at), { abortSignal }),
      )
      .catch(() => undefined)
  }

  async #send(PartNumber: number, body: Buffer): Promise<void> {
    const o = { says: 'store a part of a blob', patienceMs: PATIENCE_MS }
    const { Bucket, Key, UploadId } = this.#at
    const query = { partNumber: String(PartNumber), uploadId: UploadId }
    const { value } = await this.#gateways.ask(o, (_, signal, wire) =>
      wire.send({ method: 'PUT', Bucket, Key, query, body }, signal),
    )
    this.#done.push({ PartNumber, ETag: value.headers.etag })
  }

  /** The upload is gone once it was joined; an earlier try may have done it, and its answer was lost. */
  async #joinedBefore(thrown: unknown): Promise<void> {
    if (faultOf(thrown).status !== 404) throw thrown
    const { Bucket, Key } = this.#at
    const { value } = await this.#gateways.ask({ says: 'look for a blob' }, (client, abortSignal) =>
      client.send(new HeadObjectCommand({ Bucket, Key }), { abortSignal }).catch((absent: unknown) => {
        if (!isMissing(absent)) throw absent
      }),
    )
    if (value?.ContentLength !== this.#bytes) throw thrown
  }
}
