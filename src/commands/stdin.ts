import { EXIT, Failure } from '../errors.ts'
import type { Io } from './command.ts'

const MOST_BYTES = 900 * 1024

/** All of standard input as text. Throws on a terminal, where nobody piped anything, and on what is not text. */
export async function readText({ stdin }: Io): Promise<string> {
  if (stdin.isTTY)
    throw new Failure('`-` reads standard input, but nothing is piped in.', {
      exit: EXIT.usage,
      next: 'cat notes.md | llmagentos ask "sum up" -',
    })
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of stdin) {
    pieces.push(Buffer.from(piece))
    bytes += piece.length
    if (bytes > MOST_BYTES) {
      throw new Failure('More than 900 KiB were piped in.', {
        exit: EXIT.usage,
        next: 'Add large documents with `llmagentos kb add FILE`, then ask.',
      })
    }
  }
  return decoded(Buffer.concat(pieces))
}

function decoded(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new Failure('What is piped in is not UTF-8 text.', {
      exit: EXIT.usage,
      next: 'Convert it first, or add it with `llmagentos kb add FILE`.',
    })
  }
}
