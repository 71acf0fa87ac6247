import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { resolve } from 'node:path'
import { codeOf, EXIT, Failure, reasonOf } from '../../errors.ts'
import type { Io } from '../command.ts'

export interface KeyFile {
  path: string
  write(key: string): void
  /** Removes the file again when no key came to be. */
  discard(): void
}

/** Opened before the key is made, so that no key is made that could not be saved. Never replaces a file. */
export function keyFile(name: string, io: Io): KeyFile {
  const path = resolve(io.cwd, name)
  const file = open(path)
  let written = false
  return {
    path,
    write(key) {
      writeSync(file, `${key}\n`)
      fsyncSync(file)
      closeSync(file)
      written = true
    },
    discard() {
      if (!written) rmSync(path, { force: true })
    },
  }
}

function open(path: string): number {
  try {
    return openSync(path, 'wx', 0o600)
  } catch (thrown) {
    throw new Failure(`The key cannot be saved to ${path}.`, {
      exit: EXIT.usage,
      why: codeOf(thrown) === 'EEXIST' ? 'There is something of that name already.' : reasonOf(thrown),
      next: 'Name a new file in a folder that is there.',
    })
  }
}
