import type { Readable } from 'node:stream'
import { DeleteObjectCommand, ListObjectsV2Command, PutObjectTaggingCommand } from '@aws-sdk/client-s3'
import type { S3Config } from '../../../../../contracts/s3.ts'
import type { Mark, Page } from '../store.ts'
import { download } from './download.ts'
import { faultOf, isMissing, isTaken } from './faults.ts'
import type { Gateways } from './gateways.ts'
import { inLanes } from './lanes.ts'
import { bucketsOf, placeOf, RECORDS } from './places.ts'
import { wholeOf } from './whole.ts'

/** A gateway gives no more at once. */
const PAGE = 1000
const READS_AT_A_TIME = 16
const BYTES_PER_MS = 2_000
const PATIENCE_MS = 2_000

/** The records of the store: an object each, whose metadata names its writer. */
export class S3Records {
  readonly #config: S3Config
  readonly #gateways: Gateways

  constructor(config: S3Config, gateways: Gateways) {
    this.#config = config
    this.#gateways = gateways
  }

  /**
   * `If-None-Match: *` makes it create-once. What was sent twice may find what its own first try left: then it was created by us, although
   * the answer says that it is there.
   */
  async create(name: string, record: Buffer, writer: string): Promise<{ created: boolean; writer: string }> {
    const headers = { 'if-none-match': '*', 'x-amz-meta-writer': writer }
    const put = { method: 'PUT', ...placeOf(this.#config, name), headers, body: record } as const
    const patienceMs = PATIENCE_MS + record.length / BYTES_PER_MS
    for (let sentBefore = false; ; sentBefore = true) {
      const { value: created, unclear } = await this.#gateways.ask(
        { says: `create ${name}`, patienceMs },
        (_, signal, wire) =>
          wire.send(put, signal).then(
            () => true,
            thrown => {
              if (!isTaken(thrown)) throw thrown
              return false
            },
          ),
      )
      if (created) return { created, writer }
      const found = await this.#writerOf(name)
      if (found !== undefined) return { created: found === writer && (unclear || sentBefore), writer: found }
      // Somebody removed it in this moment.
    }
  }

  async read(name: string, most?: number): Promise<{ record: Buffer; mark: Mark } | undefined> {
    const headers = most === undefined ? undefined : { range: `bytes=0-${most - 1}` }
    const get = { method: 'GET', ...placeOf(this.#config, name), headers } as const
    const { value } = await this.#gateways.ask({ says: `read ${name}` }, async (_, signal, wire) => {
      const found = await wire.send(get, signal).catch(absent)
      return found && { record: await wholeOf(found), mark: markOf(found.headers['x-amz-tagging-count']) }
    })
    return value
  }

  async open(name: string): Promise<{ body: Readable; mark: Mark } | undefined> {
    const found = await download(this.#gateways, placeOf(this.#config, name))
    return found && { body: found.body, mark: markOf(found.headers['x-amz-tagging-count']) }
  }

  /** As tags, which the answer to a read counts: the one thing of an object that can be changed without writing it again. */
  async mark(name: string, mark: Mark): Promise<boolean> {
    const TagSet = Array.from({ length: mark }, (_, i) => ({ Key: `mark${i + 1}`, Value: '1' }))
    const command = { ...placeOf(this.#config, name), Tagging: { TagSet } }
    const { value } = await this.#gateways.ask({ says: `mark ${name}` }, (client, abortSignal) =>
      client.send(new PutObjectTaggingCommand(command), { abortSignal }).then(() => true, absent),
    )
    return value ?? false
  }

  /** Short of `limit` only where there are no more, although records may go while their values are read. */
  async list(prefix: string, o: Page): Promise<{ name: string; value?: Buffer }[]> {
    const found: { name: string; value?: Buffer }[] = []
    for (let after = o.after; found.length < o.limit; ) {
      const limit = Math.min(PAGE, o.limit - found.length)
      const names = await this.#names(prefix, { after, limit })
      if (o.values) found.push(...(await this.#withValues(names, o.most)))
      else found.push(...names.map(name => ({ name })))
      if (names.length < limit) break
      after = names.at(-1)
    }
    return found
  }

  async delete(name: string): Promise<void> {
    const command = placeOf(this.#config, name)
    await this.#gateways.ask({ says: `delete ${name}` }, (client, abortSignal) =>
      client.send(new DeleteObjectCommand(command), { abortSignal }).then(() => undefined, absent),
    )
  }

  async #names(prefix: string, o: { after?: string; limit: number }): Promise<string[]> {
    const lists = await Promise.all(
      bucketsOf(this.#config, prefix).map(Bucket => this.#listed(Bucket, prefix, o)),
    )
    return lists.length === 1 ? lists[0]! : lists.flat().sort().slice(0, o.limit)
  }

  /** After a name, and by a token only where there is none. */
  async #listed(Bucket: string, prefix: string, o: { after?: string; limit: number }): Promise<string[]> {
    const names: string[] = []
    let token: string | undefined
    for (let after = o.after; names.length < o.limit; after = names.at(-1) ?? o.after) {
      const command = {
        Bucket,
        Prefix: RECORDS + prefix,
        StartAfter: after === undefined ? undefined : RECORDS + after,
        ContinuationToken: token,
        MaxKeys: o.limit - names.length,
      }
      const { value } = await this.#gateways.ask({ says: `list ${prefix}` }, (client, abortSignal) =>
        client.send(new ListObjectsV2Command(command), { abortSignal }),
      )
      const page = value.Contents ?? []
      for (const { Key } of page) names.push(Key!.slice(RECORDS.length))
      if (!value.IsTruncated) break
      // A page without a name need not be the last.
      token = page.length === 0 ? value.NextContinuationToken : undefined
      if (page.length === 0 && token === undefined) break
    }
    return names
  }

  async #withValues(names: string[], most?: number): Promise<{ name: string; value: Buffer }[]> {
    const values = await inLanes(READS_AT_A_TIME, names, name => this.#beginning(name, most))
    return names.flatMap((name, i) => (values[i] ? [{ name, value: values[i] }] : []))
  }

  /** A record of no bytes has no beginning, says a gateway. */
  async #beginning(name: string, most?: number): Promise<Buffer | undefined> {
    const found = await this.read(name, most).catch(thrown => {
      if (faultOf(thrown).status !== 416) throw thrown
      return this.read(name)
    })
    return found?.record
  }

  async #writerOf(name: string): Promise<string | undefined> {
    const head = { method: 'HEAD', ...placeOf(this.#config, name) } as const
    const { value } = await this.#gateways.ask({ says: `read ${name}` }, (_, signal, wire) =>
      wire.send(head, signal).then(found => String(found.headers['x-amz-meta-writer'] ?? ''), absent),
    )
    return value
  }
}

const markOf = (tags: unknown = '0') => Math.min(Number(tags), 2) as Mark

function absent(thrown: unknown): undefined {
  if (!isMissing(thrown)) throw thrown
}
