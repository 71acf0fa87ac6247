import { anySignal } from '../../any-signal.ts'
import { EXIT, Failure } from '../../errors.ts'
import { Cut } from '../connections/carrier.ts'
import type { Connection } from '../connections/connection.ts'
import { Fenced } from './attempt.ts'
import { RAISE_FENCE, READ_FENCE, READ_RUNNING } from './programs/fence.ts'
import { FENCED } from './programs/places.ts'

export interface FenceOptions {
  /** For steps of others to end. */
  deadlineMs: number
  signal?: AbortSignal
  /** A step of another run that still runs there, in its own words. */
  onWait?(o: { node: string; says: string }): void
}

const SLACK_MS = 70_000
const TRIES = 5
const READ_MS = 10_000

/**
 * After it no step of a lower number starts on these nodes, and none runs. Throws Failure: 7 where a node knows a higher number, 8 when
 * steps still run at the deadline, 4 for a node that is not reached.
 */
export async function fence(connections: Connection[], number: number, o: FenceOptions): Promise<void> {
  const ends = await Promise.allSettled(connections.map(connection => raise(connection, number, o)))
  const failed = ends.find(end => end.status === 'rejected')
  if (failed) throw failed.reason
}

/**
 * The highest number that any of these nodes knows, 0 where none knows one. Control nodes may have lost theirs; a lock below the fence of
 * a node could change nothing there. A node that does not answer counts for nothing: where it comes back with a higher one, it refuses.
 */
export async function highestFence(
  connections: Connection[],
  o: { signal?: AbortSignal } = {},
): Promise<number> {
  const bell = AbortSignal.timeout(READ_MS)
  const signal = o.signal ? anySignal([bell, o.signal]) : bell
  const read = (on: Connection) =>
    on.exec(['sh', '-c', READ_FENCE], { root: true, deadlineMs: READ_MS, signal })
  const answers = await Promise.allSettled(connections.map(read))
  const told = answers.map(answer => (answer.status === 'fulfilled' ? Number(answer.value.stdout) : 0))
  return Math.max(0, ...told.filter(Number.isSafeInteger))
}

/** Whether a step runs on any of these nodes, whoever began it; one that does not answer counts for nothing. */
export async function stepsRun(
  connections: Connection[],
  o: { signal?: AbortSignal } = {},
): Promise<boolean> {
  const read = (on: Connection) =>
    on.exec(['sh', '-c', READ_RUNNING], { root: true, deadlineMs: READ_MS, signal: o.signal })
  const answers = await Promise.allSettled(connections.map(read))
  return answers.some(answer => answer.status === 'fulfilled' && answer.value.stdout.trim() !== '')
}

async function raise(connection: Connection, number: number, o: FenceOptions, tries = 1): Promise<void> {
  const waiting = new Set<string>()
  const seconds = Math.ceil(o.deadlineMs / 1000)
  try {
    const { code, stderr } = await connection.exec(
      ['sh', '-c', RAISE_FENCE, 'sh', String(number), String(seconds)],
      {
        root: true,
        deadlineMs: o.deadlineMs + SLACK_MS,
        signal: o.signal,
        onLine(line, from) {
          if (from !== 'stdout' || !line.startsWith('waiting ')) return
          const says = line.slice('waiting '.length)
          if (!waiting.has(says)) o.onWait?.({ node: connection.node, says })
          waiting.add(says)
        },
      },
    )
    if (code === FENCED) throw new Fenced(connection.node)
    if (code === 3) throw late(connection.node, [...waiting], seconds)
    if (code !== 0)
      throw new Failure(`${connection.node} could not be told which run may change it.`, {
        exit: EXIT.partial,
        why: stderr.trim() || `exit code ${code}`,
      })
  } catch (thrown) {
    if (!(thrown instanceof Cut) || tries >= TRIES) throw thrown
    return raise(connection, number, o, tries + 1)
  }
}

function late(node: string, says: string[], seconds: number): Failure {
  return new Failure(`A step of an earlier run still runs on ${node} after ${seconds} s.`, {
    exit: EXIT.deadline,
    why: says.join('; '),
    next: `Run the same command again later, or look at it: systemctl list-units 'llmagentos-step-*'.`,
  })
}
