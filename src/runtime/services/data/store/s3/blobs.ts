import { randomBytes } from 'node:crypto'
import type { Readable } from 'node:stream'
import { DeleteObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import type { S3Config } from '../../../../../contracts/s3.ts'
import { download } from './download.ts'
import { isMissing } from './faults.ts'
import type { Gateways } from './gateways.ts'
import { Parts } from './parts.ts'
import { BLOBS } from './places.ts'
import { upload } from './upload.ts'

const PAGE = 1000

/** The large half of the store: an object under a random name for each blob, whole or not there. */
export class S3Blobs {
  readonly #bucket: string
  readonly #gateways: Gateways

  constructor(config: S3Config, gateways: Gateways) {
    this.#bucket = config.buckets.data
    this.#gateways = gateways
  }

  /** Holds a few parts of it in memory, however long it is. */
  async put(
    body: Readable,
    blob = randomBytes(16).toString('hex'),
  ): Promise<{ blob: string; bytes: number; sha256: string }> {
    // It may break before we read it; the read then says so.
    body.on('error', () => {})
    const parts = new Parts(body)
    try {
      await upload(this.#gateways, this.#at(blob), parts[Symbol.asyncIterator]())
    } catch (thrown) {
      body.destroy()
      throw thrown
    }
    return { blob, ...parts.end() }
  }

  get(blob: string, range?: { from: number; to: number }) {
    return download(this.#gateways, this.#at(blob), range)
  }

  async delete(blob: string): Promise<void> {
    const command = this.#at(blob)
    await this.#gateways.ask({ says: `delete the blob ${blob}` }, (client, abortSignal) =>
      client.send(new DeleteObjectCommand(command), { abortSignal }).catch((thrown: unknown) => {
        if (!isMissing(thrown)) throw thrown
      }),
    )
  }

  async list(o: { after?: string; limit: number }): Promise<{ blob: string; storedAt: number }[]> {
    const found: { blob: string; storedAt: number }[] = []
    while (found.length < o.limit) {
      const after = found.at(-1)?.blob ?? o.after
      const command = {
        Bucket: this.#bucket,
        Prefix: BLOBS,
        StartAfter: after === undefined ? undefined : BLOBS + after,
        MaxKeys: Math.min(PAGE, o.limit - found.length),
      }
      const { value } = await this.#gateways.ask({ says: 'list the blobs' }, (client, abortSignal) =>
        client.send(new ListObjectsV2Command(command), { abortSignal }),
      )
      for (const { Key, LastModified } of value.Contents ?? [])
        found.push({ blob: Key!.slice(BLOBS.length), storedAt: LastModified!.getTime() })
      if (!value.IsTruncated || !value.Contents?.length) break
    }
    return found
  }

  #at(blob: string): { Bucket: string; Key: string } {
    if (!/^[0-9a-f]{32}$/.test(blob)) throw new Error(`not the name of a blob: ${blob}`)
    return { Bucket: this.#bucket, Key: BLOBS + blob }
  }
}
