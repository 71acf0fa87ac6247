import { reasonOf } from '../../errors.ts'
import type { Connection } from '../connections/connection.ts'
import { READ_JOURNAL } from './programs/journal.ts'
import type { Risk } from './step.ts'

/** One line when a step begins on a node, and one when it ends. */
export interface JournalLine {
  /** ISO 8601, by the node's clock. */
  at: string
  run: string
  /** `user@host` of the operator. */
  who: string
  number: number
  component: string
  node: string
  says: string
  risk: Risk
  id: string
  outcome: 'begun' | 'done' | 'failed'
  code?: number
  ms?: number
  why?: string
}

export interface Journal {
  /** By time. */
  lines: JournalLine[]
  /** Nodes whose part is missing. */
  silent: { node: string; why: string }[]
}

const KEEP_BYTES = 64 * 1024 * 1024

/** What was done on these nodes: the last `limit` lines of all, not older than `since`. Never throws for a node. */
export async function readJournal(
  connections: Connection[],
  o: { limit: number; since?: Date; signal?: AbortSignal },
): Promise<Journal> {
  const parts = await Promise.all(connections.map(connection => readOne(connection, o)))
  const lines = parts
    .flatMap(part => part.lines)
    .filter(line => !o.since || Date.parse(line.at) >= o.since.getTime())
    .sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
  return { lines: o.limit > 0 ? lines.slice(-o.limit) : [], silent: parts.flatMap(part => part.silent) }
}

async function readOne(connection: Connection, o: { limit: number; signal?: AbortSignal }): Promise<Journal> {
  const silent = (why: string): Journal => ({ lines: [], silent: [{ node: connection.node, why }] })
  try {
    const { code, stdout, stderr } = await connection.exec(
      ['sh', '-c', READ_JOURNAL, 'sh', String(o.limit)],
      {
        root: true,
        deadlineMs: 30_000,
        keepBytes: KEEP_BYTES,
        signal: o.signal,
      },
    )
    return code === 0 ? { lines: stdout.split('\n').flatMap(parsed), silent: [] } : silent(stderr.trim())
  } catch (thrown) {
    return silent(reasonOf(thrown))
  }
}

/** A line that a power failure cut short is left out. */
function parsed(line: string): JournalLine[] {
  try {
    const value = JSON.parse(line)
    return typeof value?.at === 'string' && typeof value.outcome === 'string' ? [value] : []
  } catch {
    return []
  }
}
