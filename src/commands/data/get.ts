import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { EXIT, Failure } from '../../errors.ts'
import type { Command, Io } from '../command.ts'
import { wholeNumber } from '../values.ts'
import { saved } from './output.ts'

interface Flags {
  out: string
  at?: number
}

export const get: Command<Flags> = {
  name: 'get',
  summary: 'read an object, to standard output or to a file',
  arguments: [{ name: 'name', says: 'name of the object' }],
  options: [
    {
      flag: '-o, --out <file>',
      says: 'write it to this file, whole or not at all; - for standard output',
      default: '-',
    },
    {
      flag: '--at <version>',
      says: 'this version instead of the newest',
      parse: wholeNumber({ from: 1, to: 999_999_999 }),
    },
  ],
  example: 'llmagentos data get reports/2026/q1.pdf -o q1.pdf',
  async run({ args, flags, json, io }) {
    const toFile = flags.out !== '-'
    if (json && !toFile)
      throw new Failure('--json says what was written, so it needs a file.', {
        exit: EXIT.usage,
        next: 'Add -o FILE.',
      })
    const { openClient } = await import('../../runtime/index.ts')
    const { getObject } = await import('../../contracts/objects.ts')
    const client = await openClient(io)
    try {
      const reply = await client.raw(getObject, {
        params: { '*': args[0]! },
        query: { version: flags.at },
      })
      const body = checked(reply.body, { name: args[0]!, ...promised(reply.headers) })
      if (!toFile) return await printed(body, io)
      const { file, bytes } = await saved(body, flags.out, io)
      io.print(json ? JSON.stringify({ name: args[0], file, bytes }) : `Saved ${file} (${bytes} bytes).`)
    } finally {
      await client.close()
    }
  },
}

function promised(headers: Record<string, string | string[] | undefined>): {
  bytes?: number
  sha256?: string
} {
  const bytes = headers['content-length']
  const sha256 = /^"([0-9a-f]{64})"$/.exec(String(headers['etag']))?.[1]
  return { ...(bytes !== undefined && { bytes: Number(bytes) }), ...(sha256 && { sha256 }) }
}

/** The bytes as they come; ends with a Failure when they are not all that was promised. */
async function* checked(
  body: Readable,
  o: { name: string; bytes?: number; sha256?: string },
): AsyncGenerator<Buffer> {
  const hash = createHash('sha256')
  let bytes = 0
  try {
    for await (const piece of body) {
      hash.update(piece)
      bytes += piece.length
      yield piece
    }
  } catch (thrown) {
    throw cut(o.name, bytes, thrown)
  }
  const short = o.bytes !== undefined && bytes !== o.bytes
  if (short || (o.sha256 && hash.digest('hex') !== o.sha256)) throw cut(o.name, bytes)
}

function cut(name: string, bytes: number, cause?: unknown): Failure {
  return new Failure(`${name} did not arrive whole.`, {
    exit: EXIT.unhealthy,
    why: `the connection ended, or the bytes were changed, after ${bytes} bytes`,
    next: 'Try again.',
    cause,
  })
}

async function printed(body: AsyncIterable<Buffer>, { stdout }: Io): Promise<void> {
  let first = true
  for await (const piece of body) {
    if (first && stdout.isTTY && !isText(piece))
      throw new Failure('The object is not text, and a terminal would read it as commands.', {
        exit: EXIT.usage,
        next: 'Add -o FILE, or pipe it on.',
      })
    first = false
    if (!stdout.write(piece)) await new Promise(resolve => stdout.once('drain', resolve))
  }
}

/** A character cut at the end of the piece is no fault of the text. */
function isText(piece: Buffer): boolean {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(piece, { stream: true })
    return !/[\u0000-\u0008\u000e-\u001f\u007f]/.test(text)
  } catch {
    return false
  }
}
