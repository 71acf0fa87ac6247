import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { EXIT, Failure, reasonOf } from '../errors.ts'

/** What flock(1) ends with when another process has the lock. */
const TAKEN = 1
/** Where util-linux lies, also for who starts us with a PATH of their own. */
const SYSTEM_PATH = '/usr/bin:/bin'

/**
 * Takes the lock of a file for this process, without waiting: the open file that holds it, to be closed to give it back; undefined when
 * another process has it.
 *
 * flock(1) locks the open file that it inherits from us and ends; the lock stays with that open file, so the kernel drops it the moment
 * this process ends, however it ends, and keeps it while the process is only stopped. No file is ever stale.
 */
export async function tryFlock(file: string): Promise<number | undefined> {
  const fd = openSync(file, 'a+', 0o600)
  let held = false
  try {
    const { code, says } = await flock(fd)
    held = code === 0
    if (held) return fd
    if (code === TAKEN) return undefined
    throw new Failure(`The lock ${file} cannot be taken.`, {
      exit: EXIT.preflight,
      why: `flock ended with ${code}: ${says.trim()}`,
      next: 'Put it on a local file system that has locks (ext4, xfs, btrfs).',
    })
  } finally {
    if (!held) closeSync(fd)
  }
}

function flock(fd: number): Promise<{ code: number | null; says: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn('flock', ['--nonblock', '3'], {
      stdio: ['ignore', 'ignore', 'pipe', fd],
      env: { PATH: `${process.env.PATH ?? ''}:${SYSTEM_PATH}` },
    })
    let says = ''
    child.stderr?.setEncoding('utf8').on('data', piece => {
      says += piece
    })
    child.once('close', code => resolve({ code, says }))
    child.once('error', thrown =>
      reject(
        new Failure('The store cannot be locked.', {
          exit: EXIT.preflight,
          why: `the program flock does not start: ${reasonOf(thrown)}`,
          next: 'Install the package util-linux.',
          cause: thrown,
        }),
      ),
    )
  })
}
