import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'

/**
 * The bytes of an object as they come, with its last piece held back until the digest of all is what the record says. Ends with an error
 * where it is not: whoever reads then sees a body that is too short, and never a whole one that was altered.
 */
export function verified(body: Readable, o: { name: string; bytes: number; sha256: string }): Readable {
  return Readable.from(checked(body, o), { objectMode: false })
}

async function* checked(
  body: Readable,
  o: { name: string; bytes: number; sha256: string },
): AsyncGenerator<Buffer> {
  const hash = createHash('sha256')
  let bytes = 0
  let held: Buffer | undefined
  for await (const piece of body) {
    if (held) yield held
    held = piece as Buffer
    hash.update(held)
    bytes += held.length
  }
  const digest = hash.digest('hex')
  if (bytes !== o.bytes || digest !== o.sha256)
    throw new Error(
      `${o.name} is damaged in the store: ${bytes} bytes of sha256 ${digest}, not ${o.bytes} of ${o.sha256}`,
    )
  if (held) yield held
}
