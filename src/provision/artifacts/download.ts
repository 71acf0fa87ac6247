import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { copyFile, mkdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { codeOf, EXIT, Failure, reasonOf } from '../../errors.ts'
import { type Around, Refused, rest } from './http.ts'

export interface Wanted {
  /** https, http or file. Nothing is believed for where it came from. */
  url: string
  /** `sha256-` or `sha512-` and the digest in base64, as npm writes it. */
  integrity: string
}

/** Without one byte more. */
const TRIES = 4
const PAUSE_MS = 1_000

/**
 * Puts a file there, whole and with the right digest, or not at all. What came before a cut stays beside it as `.part`, and the next try, also of
 * another run, goes on from there. Throws Failure: 3 where it cannot be had, 9 where it is another file than the one wanted.
 */
export async function download({ url, integrity }: Wanted, to: string, around: Around): Promise<void> {
  const part = `${to}.part`
  await mkdir(dirname(to), { recursive: true, mode: 0o700 })
  const before = await bytesOf(part)
  try {
    await fetched(url, part, around)
    if (!(await isRight(part, integrity))) {
      // Half of what another file was goes on as nothing.
      if (before > 0) {
        await rm(part, { force: true })
        await fetched(url, part, around)
      }
      if (!(await isRight(part, integrity))) throw otherFile(url, integrity)
    }
    await rename(part, to)
  } catch (thrown) {
    if (thrown instanceof Failure && thrown.exit === EXIT.unsafe) await rm(part, { force: true })
    throw thrown
  }
}

/** A small text, such as a list of digests, which nothing vouches for but where it came from. */
export async function fetchText(url: string, to: string, around: Around): Promise<string> {
  await rm(to, { force: true })
  await fetched(url, to, around)
  return readFile(to, 'utf8')
}

export async function isRight(file: string, integrity: string): Promise<boolean> {
  const [algorithm] = integrity.split('-')
  const hash = createHash(algorithm!)
  await pipeline(createReadStream(file), hash)
  return `${algorithm}-${hash.digest('base64')}` === integrity
}

async function fetched(url: string, part: string, around: Around): Promise<void> {
  try {
    if (url.startsWith('file:')) return await copyFile(fileURLToPath(url), part)
    await inPieces(url, part, around)
  } catch (thrown) {
    around.signal?.throwIfAborted()
    throw unreached(url, part, thrown)
  }
}

async function inPieces(url: string, part: string, around: Around): Promise<void> {
  for (let tries = 1; ; tries++) {
    const from = await bytesOf(part)
    try {
      const found = await rest(url, from, around)
      if (!found) return
      await pipeline(
        found.body,
        createWriteStream(part, { flags: found.from === 0 ? 'w' : 'a', mode: 0o600 }),
      )
      return
    } catch (thrown) {
      const full = codeOf(thrown) === 'ENOSPC' || codeOf(thrown) === 'EDQUOT'
      if (around.signal?.aborted || full || (thrown instanceof Refused && !thrown.passes)) throw thrown
      if ((await bytesOf(part)) > from) tries = 0
      if (tries === TRIES) throw thrown
      await sleep(PAUSE_MS * tries, undefined, { signal: around.signal })
    }
  }
}

const bytesOf = (file: string) =>
  stat(file).then(
    ({ size }) => size,
    () => 0,
  )

function unreached(url: string, part: string, thrown: unknown): Failure {
  const full = codeOf(thrown) === 'ENOSPC' || codeOf(thrown) === 'EDQUOT'
  return new Failure(`${shown(url)} could not be fetched.`, {
    exit: EXIT.preflight,
    why: full ? `there is no room for it in ${dirname(part)}` : reasonOf(thrown),
    next: full
      ? 'Free some room, or set XDG_CACHE_HOME to a folder that has it.'
      : 'Look at artifacts/mirror and site/proxy in the file of the cluster, and try again: what came already is kept.',
    cause: thrown,
  })
}

const otherFile = (url: string, integrity: string) =>
  new Failure(`${shown(url)} is not the file that we know.`, {
    exit: EXIT.unsafe,
    why: `its ${integrity.split('-')[0]} is not ${integrity}`,
    next: 'Ask whoever keeps that mirror. Nothing of it was used.',
  })

/** Without a user and a password. */
function shown(url: string): string {
  const parsed = new URL(url)
  parsed.username = parsed.password = ''
  return parsed.href
}
