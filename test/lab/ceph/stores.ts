import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { ListMultipartUploadsCommand, type S3Client } from '@aws-sdk/client-s3'
import { expect, onTestFinished } from 'vitest'
import type { S3Config } from '../../../src/contracts/s3.ts'
import { clientOf } from '../../../src/runtime/services/data/store/s3/client.ts'
import { openS3 } from '../../../src/runtime/services/data/store/s3/index.ts'
import type { ObjectStore } from '../../../src/runtime/services/data/store/store.ts'

export const MIB = 1024 * 1024

/** Closed when the test ends. */
export async function opened(config: S3Config, o: Parameters<typeof openS3>[1] = {}): Promise<ObjectStore> {
  const store = await openS3(config, o)
  onTestFinished(() => store.close())
  return store
}

/** S3 itself, at the last gateway. */
export async function plainly<T>(config: S3Config, act: (client: S3Client) => Promise<T>): Promise<T> {
  const client = clientOf(config, config.endpoints.at(-1)!)
  return act(client).finally(() => client.destroy())
}

export async function unfinishedUploads(config: S3Config): Promise<number> {
  const command = new ListMultipartUploadsCommand({ Bucket: config.buckets.data })
  return (await plainly(config, c => c.send(command))).Uploads?.length ?? 0
}

/** Creates, reads and lists one after the other; the ms that the slowest round took. */
export async function work(store: ObjectStore, name: string, times: number): Promise<number> {
  let slowest = 0
  for (let i = 0; i < times; i++) {
    const began = performance.now()
    const key = `q/${name}/${i}`
    expect((await store.create(key, Buffer.from(key), 'w')).created).toBe(true)
    expect(String(await store.get(key))).toBe(key)
    expect(await store.list(key, { limit: 1 })).toHaveLength(1)
    slowest = Math.max(slowest, performance.now() - began)
  }
  return slowest
}

export const pieces = (content: Buffer) =>
  Array.from({ length: Math.ceil(content.length / MIB) }, (_, i) => content.subarray(i * MIB, (i + 1) * MIB))

export const digest = (content: Buffer) => createHash('sha256').update(content).digest('hex')

export async function digestOf(body: Readable): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of body as AsyncIterable<Buffer>) hash.update(piece)
  return hash.digest('hex')
}
