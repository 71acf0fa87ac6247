import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type { ObjectStore } from '../store/store.ts'
import { moreOrEnd } from './more.ts'
import type { OpenVersion } from './record.ts'

/** Where the bytes of a version are: in a blob, or in the record itself. */
export interface Content {
  blob?: string
  content?: Buffer[]
}

/** What is small enough to lie in the record of a store that is far, read whole. Undefined for all else, which then is as it was. */
export async function smallContent(
  store: ObjectStore,
  body: Readable,
): Promise<(Content & { bytes: number; sha256: string }) | undefined> {
  return store.far && wholeUpTo(store.far.inlineBytes, body)
}

/** The part of it, or all. Undefined where its blob is gone. */
export async function openContent(
  store: ObjectStore,
  { blob, content }: Pick<OpenVersion, 'blob' | 'content'>,
  range?: { from: number; to: number },
): Promise<Readable | undefined> {
  if (!content) return (await store.getBlob(blob!, range))?.body
  return range ? Readable.from([(await buffer(content)).subarray(range.from, range.to + 1)]) : content
}

/** All of it where it has no more than `most` bytes. Else undefined, and it is as it was. */
async function wholeUpTo(
  most: number,
  body: Readable,
): Promise<{ content: Buffer[]; bytes: number; sha256: string } | undefined> {
  const held: Buffer[] = []
  const hash = createHash('sha256')
  for (let size = 0; ; ) {
    const piece: Buffer | null = body.read()
    if (piece) {
      held.push(piece)
      size += piece.length
      if (size > most) {
        body.unshift(Buffer.concat(held))
        return undefined
      }
      hash.update(piece)
    } else if (body.readableEnded) return { content: held, bytes: size, sha256: hash.digest('hex') }
    else await moreOrEnd(body)
  }
}
