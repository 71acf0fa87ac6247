import { open, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Readable } from 'node:stream'
import { codeOf, EXIT, Failure, reasonOf } from '../../errors.ts'
import type { Io } from '../command.ts'

const MOST_BYTES = 5 * 1024 ** 3

/** A file, or `-` for standard input, to be read once; `bytes` is there for a file. Bad input is the caller's: Failures of exit 2. */
export async function inputOf(file: string, io: Io): Promise<{ stream: Readable; bytes?: number }> {
  if (file === '-') return { stream: piped(io) }
  const path = resolve(io.cwd, file)
  const unreadable = (thrown: unknown): never => {
    throw new Failure(`${file} cannot be read.`, {
      exit: EXIT.usage,
      why: codeOf(thrown) === 'ENOENT' ? 'There is no such file.' : reasonOf(thrown),
      cause: thrown,
    })
  }
  // Looked at before it is opened: a pipe without a writer would hold the opening for ever.
  const stats = await stat(path).catch(unreadable)
  const wrong = stats.isDirectory()
    ? {
        what: `${file} is a directory.`,
        next: 'Store its files one by one, or pack them first: tar -cz DIR | ...',
      }
    : !stats.isFile()
      ? {
          what: `${file} is no regular file.`,
          next: `Pipe it in: llmagentos data put - --name NAME < ${file}`,
        }
      : stats.size > MOST_BYTES
        ? { what: `${file} is larger than 5 GiB.`, next: 'Split it first.' }
        : undefined
  if (wrong) throw new Failure(wrong.what, { exit: EXIT.usage, next: wrong.next })
  const handle = await open(path, 'r').catch(unreadable)
  if (stats.size === 0) {
    await handle.close()
    return { stream: Readable.from([]), bytes: 0 }
  }
  // What is appended meanwhile is not part of it: the size is promised already.
  return { stream: handle.createReadStream({ end: stats.size - 1 }), bytes: stats.size }
}

function piped({ stdin }: Io): Readable {
  if (!stdin.isTTY) return stdin as Readable
  throw new Failure('`-` reads standard input, but nothing is piped in.', {
    exit: EXIT.usage,
    next: 'cat notes.md | llmagentos data put - --name notes.md',
  })
}
