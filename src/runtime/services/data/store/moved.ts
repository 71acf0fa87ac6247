import { openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf, EXIT, Failure } from '../../../../errors.ts'
import { syncFile, syncFolder } from './sync.ts'

const FILE = 'moved.json'

/** That an embedded store was moved elsewhere, whole and compared. Whoever places the services reads it, too. */
export interface Moved {
  at: string
  records: number
  blobs: number
  bytes: number
}

export function movedFrom(folder: string): Moved | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, FILE), 'utf8')) as Moved
  } catch (thrown) {
    if (codeOf(thrown) !== 'ENOENT') throw thrown
    return undefined
  }
}

/** Throws a Failure (exit 9): two stores that both take writes would never be one again. */
export function refuseMoved(folder: string): void {
  const moved = movedFrom(folder)
  if (!moved) return
  throw new Failure(`The store in ${folder} was moved into Ceph.`, {
    exit: EXIT.unsafe,
    why: `\`data migrate\` ended at ${moved.at}; what is here is a copy that nobody writes to`,
    next: `Run \`llmagentos cluster up\`, which has the services use Ceph. To go back to this state, and lose what came since, remove ${join(folder, FILE)}.`,
  })
}

/** Durable when it returns. Readable for whoever may enter the folder. */
export function writeMoved(folder: string, moved: Moved): void {
  const temporary = join(folder, `${FILE}.new`)
  writeFileSync(temporary, `${JSON.stringify(moved)}\n`, { mode: 0o644 })
  syncFile(openSync(temporary, 'r'))
  renameSync(temporary, join(folder, FILE))
  syncFolder(folder)
}
