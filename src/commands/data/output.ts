import { randomBytes } from 'node:crypto'
import { open, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { EXIT, Failure, reasonOf } from '../../errors.ts'
import type { Io } from '../command.ts'

/** Writes `body` to `name`, whole or not at all: a temporary file beside it takes its place at the end. Returns path and size. */
export async function saved(
  body: AsyncIterable<Buffer>,
  name: string,
  io: Io,
): Promise<{ file: string; bytes: number }> {
  const file = resolve(io.cwd, name)
  if (
    await stat(file).then(
      s => s.isDirectory(),
      () => false,
    )
  )
    throw unwritable(name, 'It is a directory.')
  const temporary = join(dirname(file), `.${basename(file).slice(0, 200)}.${randomBytes(4).toString('hex')}`)
  const handle = await open(temporary, 'wx').catch(thrown => {
    throw unwritable(name, reasonOf(thrown))
  })
  let bytes = 0
  try {
    for await (const piece of body) {
      await handle.writeFile(piece).catch(thrown => {
        throw unwritable(name, reasonOf(thrown))
      })
      bytes += piece.length
    }
    await handle.sync()
    await handle.close()
    await rename(temporary, file)
    return { file, bytes }
  } catch (thrown) {
    await handle.close().catch(() => {})
    await rm(temporary, { force: true })
    throw thrown
  }
}

const unwritable = (name: string, why: string) =>
  new Failure(`${name} cannot be written.`, {
    exit: EXIT.usage,
    why,
    next: 'Name a file in a folder that you may write to.',
  })
