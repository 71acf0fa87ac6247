import { pipeline, type Readable, Transform } from 'node:stream'
import { tooLarge } from '../../server/handle.ts'

/** So that whoever sends does not wait for each piece to be taken. */
const BUFFER_BYTES = 512 * 1024

/** The bytes of an upload, broken off with a Refusal when they exceed `limitBytes` or when `signal` fires. */
export function limited(upload: Readable, o: { limitBytes: number; signal: AbortSignal }): Readable {
  let bytes = 0
  const body = new Transform({
    highWaterMark: BUFFER_BYTES,
    transform(piece: Buffer, _encoding, done) {
      bytes += piece.length
      if (bytes > o.limitBytes) done(tooLarge(o.limitBytes))
      else done(null, piece)
    },
  })
  const late = () => body.destroy(o.signal.reason)
  o.signal.addEventListener('abort', late, { once: true })
  // Whoever reads the body hears of its end, good or bad.
  pipeline(upload, body, () => o.signal.removeEventListener('abort', late))
  if (o.signal.aborted) late()
  return body
}
