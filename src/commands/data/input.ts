import { open, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Readable } from 'node:stream'
import { codeOf, EXIT, Failure, reasonOf } from '../../errors.ts'
import type { Io } from '../command.ts'

const MOST_BYTES = 5 * 1024 ** 3

export interface Input {
  /** From its begin. What is piped in can be read once. */
  read(): Readable
  /** Of a file, which can be read as often as it takes. */
  bytes?: number
  close(): Promise<void>
}

/** A file, or `-` for standard input. Bad input is the caller's: Failures of exit 2. */
export async function inputOf(file: string, io: Io): Promise<Input> {
  if (file === '-') return pipedInto(io)
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
  // What is appended meanwhile is not part of it: the size is promised already.
  const end = stats.size - 1
  return {
    read: () => (end < 0 ? Readable.from([]) : handle.createReadStream({ start: 0, end, autoClose: false })),
    bytes: stats.size,
    close: () => handle.close(),
  }
}

function pipedInto({ stdin }: Io): Input {
  if (!stdin.isTTY)
    return { read: () => stdin as Readable, close: async () => void (stdin as Readable).destroy() }
  throw new Failure('`-` reads standard input, but nothing is piped in.', {
    exit: EXIT.usage,
    next: 'cat notes.md | llmagentos data put - --name notes.md',
  })
}
