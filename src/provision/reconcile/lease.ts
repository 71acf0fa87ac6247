import { EXIT, Failure } from '../../errors.ts'
import { Cut } from '../connections/carrier.ts'
import type { Connection } from '../connections/connection.ts'
import { asHolder, type Holder } from './locked.ts'
import { LEASE } from './programs/lock.ts'

/** What a control node said of its lease. */
export type Told = { is: 'ours'; number: number } | { is: 'theirs'; holder: Holder } | { is: 'free' }

type Ask =
  | { verb: 'take'; id: string; who: string; doing: string }
  | { verb: 'renew' | 'release'; id: string }
  | { verb: 'number'; id: string; number: number }
  | { verb: 'show' | 'force' }

// Local reads and writes of a small file; longer means that nobody can say.
const DEADLINE_MS = 15_000

/** Asks one control node; a cut is asked again once, because each question may be asked twice. Throws Failure where it does not answer. */
export async function ask(on: Connection, o: Ask, within: Within = {}): Promise<Told> {
  try {
    return await once(on, o, within)
  } catch (thrown) {
    if (!(thrown instanceof Cut) || within.signal?.aborted) throw thrown
    return once(on, o, within)
  }
}

interface Within {
  signal?: AbortSignal
  deadlineMs?: number
}

async function once(on: Connection, o: Ask, within: Within): Promise<Told> {
  const { code, stdout, stderr } = await on.exec(['sh', '-c', LEASE, 'sh', ...words(o)], {
    root: true,
    deadlineMs: DEADLINE_MS,
    ...within,
  })
  const [is, ...lines] = stdout.split('\n')
  if (code === 0 && is === 'ours') return { is, number: Number(lines[0] || 0) }
  if (code === 0 && is === 'free') return { is }
  if (code === 0 && is === 'theirs') {
    const [who = '', since = '', doing = ''] = lines
    return { is, holder: { who, since, doing } }
  }
  throw new Failure(`${on.node} cannot keep the lock.`, {
    exit: EXIT.partial,
    why: stderr.trim() || `exit code ${code}`,
  })
}

function words(o: Ask): string[] {
  if (o.verb === 'take') return [o.verb, o.id, asHolder(o.who), asHolder(o.doing)]
  if (o.verb === 'number') return [o.verb, o.id, String(o.number)]
  return 'id' in o ? [o.verb, o.id] : [o.verb]
}
