import { EXIT, Failure } from '../../errors.ts'
import type { Connection, Ended } from '../../provision/index.ts'
import { type Fields, fieldsOf } from './journal.ts'

export interface Follow {
  /** journalctl with what chooses entries and fields; how many old ones comes beside it. */
  argv: string[]
  /** The same for old entries: `--lines`, `--since`. */
  old: string[]
  /** No old entries are wanted. */
  fromNow: boolean
  signal: AbortSignal
  /** `zone` is the node's: `+01:00`. */
  onEntry(fields: Fields, o: { line: string; zone: string }): void
  /** For people: what is no entry, and cuts. */
  say(line: string): void
}

// The longest that a timer of Node can wait: 24 days.
const FOLLOW_MS = 2_147_483_647
const READ_MS = 120_000
const KEEP_BYTES = 1024
/** For a node to come back after a cut. */
const AGAIN_MS = 10 * 60_000
// Lines of a connection come in parts when they are longer than 64 KiB.
const PART = 64 * 1024
const LONGEST = 64 * 1024 * 1024

/**
 * Hands on the journal as it is written, each entry once: after a cut it goes on behind the last entry that was seen. Ends when journalctl
 * does. Throws Failure: 4 when the node does not come back within ten minutes, 130.
 */
export async function follow(on: Connection, o: Follow): Promise<Ended> {
  const { Cut, Refused } = await import('../../provision/index.ts')
  let cursor = o.fromNow ? await lastCursor(on, o) : undefined
  let cutAt: number | undefined
  const onEntry: Follow['onEntry'] = (fields, how) => {
    o.onEntry(fields, how)
    cursor = fields['__CURSOR'] ?? cursor
    cutAt = undefined
  }
  for (;;) {
    try {
      const old = cursor === undefined ? o.old : ['--no-tail', `--after-cursor=${cursor}`]
      return await once(on, { ...o, argv: [...o.argv, ...old, '--follow'], onEntry })
    } catch (thrown) {
      if (!(thrown instanceof Failure) || thrown instanceof Refused || o.signal.aborted) throw thrown
      if (thrown.exit !== EXIT.unreachable) throw thrown
      if (thrown instanceof Cut) {
        o.say(`The connection to ${on.node} was cut (${thrown.why}). It goes on where it stopped.`)
        cutAt ??= performance.now()
      }
      if (cutAt === undefined || performance.now() - cutAt > AGAIN_MS) throw thrown
    }
  }
}

/** Where the journal ends now, so that a cut before the first entry loses none; undefined for an empty one. */
async function lastCursor(on: Connection, o: Follow): Promise<string | undefined> {
  const argv = ['journalctl', '--quiet', '--no-pager', '--lines=1', '--output=json', '--output-fields=_PID']
  const { stdout } = await on.exec(argv, { root: true, deadlineMs: READ_MS, signal: o.signal })
  return fieldsOf(stdout.trim())?.['__CURSOR']
}

function once(on: Connection, o: Follow): Promise<Ended> {
  let zone: string | undefined
  let parts = ''
  return on.exec(['sh', '-c', 'date +%:z; exec "$@"', 'sh', ...o.argv], {
    root: true,
    deadlineMs: FOLLOW_MS,
    signal: o.signal,
    keepBytes: KEEP_BYTES,
    onLine(line, from) {
      if (from === 'stderr') return o.say(line)
      if (zone === undefined) {
        zone = line
        return
      }
      parts += line
      const fields = fieldsOf(parts)
      if (!fields && line.length >= PART && parts.length < LONGEST) return
      if (fields) o.onEntry(fields, { line: parts, zone })
      else o.say(parts)
      parts = ''
    },
  })
}
