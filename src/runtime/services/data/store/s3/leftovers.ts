import { AbortMultipartUploadCommand, ListMultipartUploadsCommand } from '@aws-sdk/client-s3'
import type { S3Config } from '../../../../../contracts/s3.ts'
import { reasonOf } from '../../../../../errors.ts'
import type { Log } from '../../../../../log.ts'
import type { Gateways } from './gateways.ts'
import { BLOBS } from './places.ts'

/** Longer than any upload may take. */
const AGE_MS = 24 * 60 * 60_000
const EVERY_MS = 6 * 60 * 60_000

/** Takes away now and then what uploads left that ended between their parts; the returned function stops it. */
export function keepAbandoned(o: { config: S3Config; gateways: Gateways; log: Log }): () => void {
  const once = () =>
    abandonUnfinished({ ...o, before: Date.now() - AGE_MS }).then(
      count => count > 0 && o.log.info({ count }, 'uploads that never ended were abandoned'),
      thrown =>
        o.log.warn({ reason: reasonOf(thrown) }, 'unfinished uploads were not abandoned; later again'),
    )
  void once()
  const timer = setInterval(once, EVERY_MS)
  timer.unref()
  return () => clearInterval(timer)
}

/** Abandons the uploads of blobs that began before `before` (Unix milliseconds); returns how many. */
export async function abandonUnfinished(o: {
  config: S3Config
  gateways: Gateways
  before: number
}): Promise<number> {
  const Bucket = o.config.buckets.data
  let count = 0
  let marks: { KeyMarker?: string; UploadIdMarker?: string } = {}
  for (let more = true; more; ) {
    const command = { Bucket, Prefix: BLOBS, ...marks }
    const { value } = await o.gateways.ask({ says: 'list its uploads' }, (client, abortSignal) =>
      client.send(new ListMultipartUploadsCommand(command), { abortSignal }),
    )
    for (const { Key, UploadId, Initiated } of value.Uploads ?? []) {
      if (!Initiated || Initiated.getTime() >= o.before) continue
      await o.gateways.ask({ says: 'abandon an upload' }, (client, abortSignal) =>
        client
          .send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }), { abortSignal })
          .then(() => undefined),
      )
      count++
    }
    more = value.IsTruncated === true && value.NextKeyMarker !== undefined
    marks = { KeyMarker: value.NextKeyMarker, UploadIdMarker: value.NextUploadIdMarker }
  }
  return count
}
