import { createHash } from 'node:crypto'
import { pipeline, type Readable, Transform } from 'node:stream'

/**
 * The bytes of an object as they come, with its last piece held back until the digest of all is what the record says. Ends with an error
 * where it is not: whoever reads then sees a body that is too short, and never a whole one that was altered.
 */
export function verified(body: Readable, o: { name: string; bytes: number; sha256: string }): Readable {
  const hash = createHash('sha256')
  let bytes = 0
  let held: Buffer | undefined
  const checked = new Transform({
    transform(piece: Buffer, _encoding, done) {
      if (held) this.push(held)
      held = piece
      hash.update(piece)
      bytes += piece.length
      done()
    },
    flush(done) {
      const digest = hash.digest('hex')
      if (bytes !== o.bytes || digest !== o.sha256)
        return done(
          new Error(
            `${o.name} is damaged in the store: ${bytes} bytes of sha256 ${digest}, not ${o.bytes} of ${o.sha256}`,
          ),
        )
      if (held) this.push(held)
      done()
    },
  })
  // Whoever reads hears of the end, good or bad.
  pipeline(body, checked, () => undefined)
  return checked
}
