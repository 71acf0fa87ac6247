import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { codeOf, EXIT, Failure, reasonOf } from '../../errors.ts'

/** Writes a file whole or not at all; it outlives a power failure. With `replace: false` a file that exists is an error (exit 2); `like` gives mode and owner. */
export function writeWhole(
  file: string,
  text: string,
  o: { replace: boolean; like?: { mode: number; uid: number; gid: number } },
): void {
  const folder = dirname(file)
  const temporary = join(folder, `.${basename(file).slice(0, 200)}.${randomBytes(4).toString('hex')}`)
  try {
    const handle = openSync(temporary, 'wx', 0o666)
    try {
      if (o.like) resemble(handle, o.like)
      writeFileSync(handle, text)
      fsyncSync(handle)
    } finally {
      closeSync(handle)
    }
    if (o.replace) renameSync(temporary, file)
    else linkSync(temporary, file)
    sync(folder)
  } catch (thrown) {
    if (codeOf(thrown) === 'EEXIST')
      throw new Failure(`${file} exists already.`, {
        exit: EXIT.usage,
        next: 'Name another with -o, or replace it with --force.',
      })
    throw new Failure(`${file} cannot be written.`, { exit: EXIT.usage, why: reasonOf(thrown) })
  } finally {
    rmSync(temporary, { force: true })
  }
}

/** Only root may give a file away; whoever else may write here keeps it. */
function resemble(handle: number, like: { mode: number; uid: number; gid: number }): void {
  try {
    fchownSync(handle, like.uid, like.gid)
  } catch (thrown) {
    if (codeOf(thrown) !== 'EPERM') throw thrown
  }
  // Behind the change of owner, which clears some bits.
  fchmodSync(handle, like.mode & 0o7777)
}

/** The new name is safe only when its folder is. */
function sync(folder: string): void {
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
