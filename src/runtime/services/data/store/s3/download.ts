import { Readable } from 'node:stream'
import { GetObjectCommand } from '@aws-sdk/client-s3'
import { isMissing } from './faults.ts'
import type { Gateways } from './gateways.ts'

/** A gateway that sends nothing for so long in the middle of a body may be dead; from there on another one is asked. */
const SILENCE_MS = 5_000
/** So often in a row without one byte more. */
const TRIES = 8

type Place = { Bucket: string; Key: string }
interface Part {
  bytes: number
  body: Readable
}

/** Undefined where there is no such object. A body that is cut goes on where it stopped: an object never changes. */
export async function download(
  gateways: Gateways,
  at: Place,
  range?: { from: number; to: number },
): Promise<Part | undefined> {
  const first = await part(gateways, at, range)
  if (!first) return undefined
  const from = range?.from ?? 0
  const to = range?.to ?? first.bytes - 1
  const body = Readable.from(whole(gateways, at, { first, from, to }), { objectMode: false })
  // Whoever leaves it unread leaves the connection of the first part, too.
  body.once('close', () => first.body.destroy())
  return { bytes: first.bytes, body }
}

async function* whole(
  gateways: Gateways,
  at: Place,
  o: { first: Part; from: number; to: number },
): AsyncGenerator<Buffer> {
  let next = o.from
  let source: Readable | undefined = o.first.body
  for (let tries = 0; next <= o.to; tries++) {
    source ??= (await part(gateways, at, { from: next, to: o.to }))?.body
    if (!source) throw new Error(`The blob ${at.Key} was removed while it was read.`)
    try {
      for await (const piece of untilSilent(source)) {
        next += piece.length
        tries = 0
        yield piece
      }
      if (next <= o.to) throw new Error(`The blob ${at.Key} ended too early.`)
    } catch (thrown) {
      if (tries >= TRIES) throw thrown
    } finally {
      source.destroy()
      source = undefined
    }
  }
}

/** Counts only while it waits for a piece, and not while its reader takes its time. */
async function* untilSilent(source: Readable): AsyncGenerator<Buffer> {
  const late = () => source.destroy(new Error(`nothing came for ${SILENCE_MS / 1000} s`))
  let timer = setTimeout(late, SILENCE_MS)
  try {
    for await (const piece of source) {
      clearTimeout(timer)
      yield piece
      timer = setTimeout(late, SILENCE_MS)
    }
  } finally {
    clearTimeout(timer)
  }
}

async function part(
  gateways: Gateways,
  at: Place,
  range?: { from: number; to: number },
): Promise<Part | undefined> {
  const Range = range && `bytes=${range.from}-${range.to}`
  const { value } = await gateways.ask({ says: 'read a blob' }, (client, abortSignal) =>
    client.send(new GetObjectCommand({ ...at, Range }), { abortSignal }).catch((thrown: unknown) => {
      if (!isMissing(thrown)) throw thrown
    }),
  )
  if (!value) return undefined
  const total = value.ContentRange?.split('/')[1]
  return { bytes: Number(total ?? value.ContentLength), body: value.Body as Readable }
}
