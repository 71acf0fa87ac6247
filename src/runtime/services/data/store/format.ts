import { openSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { version } from '../../../../assets.ts'
import { codeOf, EXIT, Failure, reasonOf } from '../../../../errors.ts'
import { syncFile, syncFolder } from './sync.ts'

/** Raised by one whenever an older program would misread or damage what a newer one wrote. */
const FORMAT = 1
const FILE = 'format.json'

/** Throws a Failure (exit 3) unless this program knows how to read the store in `folder`; changes nothing. False: there is none yet. */
export function checkFormat(folder: string): boolean {
  let found: { format?: unknown; writtenBy?: unknown }
  try {
    found = JSON.parse(readFileSync(join(folder, FILE), 'utf8'))
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT' && isEmpty(folder)) return false
    throw new Failure(`The store in ${folder} cannot be read.`, {
      exit: EXIT.preflight,
      why: `its ${FILE} is missing or damaged: ${reasonOf(thrown)}`,
      next: `Point the cluster to its own folder, or put ${FILE} back from a copy; nothing was changed.`,
      cause: thrown,
    })
  }
  if (found.format === FORMAT) return true
  throw new Failure(`The store in ${folder} was written by a newer llmagentos.`, {
    exit: EXIT.preflight,
    why: `its format is ${String(found.format)} (llmagentos ${String(found.writtenBy)}), this llmagentos ${version()} knows ${FORMAT}`,
    next: 'Run the newer version again; nothing was changed.',
  })
}

/** Marks a new store; its lock is held. Durable when it returns, and before anything else is written there. */
export function writeFormat(folder: string): void {
  const temporary = join(folder, `${FILE}.new`)
  writeFileSync(temporary, `${JSON.stringify({ format: FORMAT, writtenBy: version() })}\n`, { mode: 0o600 })
  syncFile(openSync(temporary, 'r'))
  renameSync(temporary, join(folder, FILE))
  syncFolder(folder)
  syncFolder(dirname(folder))
}

const isEmpty = (folder: string) => !readdirSync(folder).some(name => name === 'records' || name === 'blobs')
