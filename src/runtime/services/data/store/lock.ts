import { closeSync, ftruncateSync, readFileSync, writeSync } from 'node:fs'
import { EXIT, Failure } from '../../../../errors.ts'
import { tryFlock } from '../../../flock.ts'

/**
 * Takes the lock of a store's folder for this process; returns the function that gives it back. Throws a Failure (exit 7) naming the
 * holder when another process has it.
 */
export async function lockStore(file: string): Promise<() => void> {
  const fd = await tryFlock(file)
  if (fd === undefined) throw taken(file)
  try {
    ftruncateSync(fd)
    writeSync(fd, `${process.pid}\n`)
  } catch (thrown) {
    closeSync(fd)
    throw thrown
  }
  return () => closeSync(fd)
}

function taken(file: string): Failure {
  const pid = Number(readFileSync(file, 'utf8').trim())
  return new Failure('The store is in use by another process.', {
    exit: EXIT.locked,
    why: `${pid ? `process ${pid}` : 'a process that did not leave its id'} holds ${file}`,
    next: 'Stop the other cluster first: `llmagentos cluster down`.',
  })
}
