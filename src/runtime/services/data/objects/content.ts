import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import type { ObjectStore } from '../store/store.ts'

/** Where the bytes of a version are: in a blob, or in the record itself (base64). */
export interface Content {
  blob?: string
  content?: string
}

/** What is small enough to lie in the record of a store that is far, read whole. Undefined for all else, which then is as it was. */
export async function smallContent(
  store: ObjectStore,
  body: Readable,
): Promise<(Content & { bytes: number; sha256: string }) | undefined> {
  const small = store.far && (await wholeUpTo(store.far.inlineBytes, body))
  if (!small) return undefined
  const sha256 = createHash('sha256').update(small).digest('hex')
  return { content: small.toString('base64'), bytes: small.length, sha256 }
}

/** The part of it, or all. Undefined where its blob is gone. */
export async function openContent(
  store: ObjectStore,
  { blob, content }: Content,
  range?: { from: number; to: number },
): Promise<{ body: Readable } | undefined> {
  if (content === undefined) return store.getBlob(blob!, range)
  const bytes = Buffer.from(content, 'base64')
  return { body: Readable.from([range ? bytes.subarray(range.from, range.to + 1) : bytes]) }
}

/** All of it where it has no more than `most` bytes. Else undefined, and it is as it was. */
async function wholeUpTo(most: number, body: Readable): Promise<Buffer | undefined> {
  const held: Buffer[] = []
  for (let size = 0; ; ) {
    const piece: Buffer | null = body.read()
    if (piece) {
      held.push(piece)
      size += piece.length
      if (size > most) {
        body.unshift(Buffer.concat(held))
        return undefined
      }
    } else if (body.readableEnded) return Buffer.concat(held)
    else await moreOrEnd(body)
  }
}

async function moreOrEnd(body: Readable): Promise<void> {
  const over = new AbortController()
  const either = ['readable', 'end'].map(event => once(body, event, { signal: over.signal }))
  await Promise.race(either).finally(() => over.abort())
}
