import { setTimeout as sleep } from 'node:timers/promises'
import { EXIT, Failure, reasonOf } from '../../errors.ts'
import { Cut } from '../connections/carrier.ts'
import type { Connection, Ended } from '../connections/connection.ts'
import { FENCED } from './programs/places.ts'
import { type RunOf, stepCommand } from './programs/render.ts'
import type { Step } from './step.ts'

/** How a step ended on its node. */
export type End =
  | { ok: true; ms: number }
  | { ok: false; code?: number; why: string; stderr: string; ms?: number }

/** The node follows a higher number: nothing of ours starts there any more. */
export class Fenced extends Failure {
  readonly node: string

  constructor(node: string) {
    super(`${node} takes no more steps of this run.`, {
      exit: EXIT.locked,
      why: 'another run took the lock meanwhile; what it changes is no longer ours to change',
      next: 'Run the same command again when the other one has ended.',
    })
    this.node = node
  }
}

export interface AttemptOptions extends RunOf {
  /** Of the artifact that a place step puts there. */
  sha256?: string
  onCut?(why: string): void
  onOutput?(line: string): void
  signal?: AbortSignal
}

// Beyond the step's own deadline: the upload, what systemd takes to end it, and a lock that another program holds.
const SLACK_MS = 120_000
// After a cut the node may be booting.
const AGAIN_MS = 180_000

/**
 * Runs one step, or follows it where it runs already, and stays with it over cut connections: it is never started twice. Throws
 * Fenced. `signal` ends no running step; it only ends the waiting for a node that is gone.
 */
export async function runStep(connection: Connection, step: Step, o: AttemptOptions): Promise<End> {
  let cutAt: number | undefined
  for (let attempt = 1; ; attempt++) {
    try {
      return read(await send(connection, step, { ...o, attempt }), { step, connection })
    } catch (thrown) {
      if (!(thrown instanceof Failure) || thrown instanceof Fenced || thrown.exit === EXIT.locked)
        throw thrown
      if (thrown instanceof Cut) cutAt = performance.now()
      const patient = cutAt !== undefined && performance.now() - cutAt < AGAIN_MS && !o.signal?.aborted
      if (thrown.exit !== EXIT.unreachable || !patient) return given(thrown, { step, begun: attempt > 1 })
      o.onCut?.(thrown.why ?? thrown.message)
      if (!(thrown instanceof Cut)) await sleep(1_000)
    }
  }
}

function send(connection: Connection, step: Step, o: AttemptOptions & { attempt: number }): Promise<Ended> {
  const { argv, stdin } = stepCommand(step, o)
  return connection.exec(argv, {
    root: true,
    stdin,
    deadlineMs: step.deadlineMs + SLACK_MS,
    onLine(line, from) {
      if (from === 'stdout' && line.startsWith('> ')) o.onOutput?.(line.slice(2))
    },
  })
}

function read({ code, stdout, stderr }: Ended, o: { step: Step; connection: Connection }): End {
  if (code === FENCED) throw new Fenced(o.connection.node)
  const told = /^result (done|failed) (\d+) (\d+) ?(.*)$/m.exec(stdout.slice(stdout.lastIndexOf('result ')))
  if (code !== 0 || !told)
    return { ok: false, why: 'it could not be started', stderr: stderr.trim() || `exit code ${code}` }
  const [, outcome, number, ms, why] = told
  if (outcome === 'done') return { ok: true, ms: Number(ms) }
  return {
    ok: false,
    code: Number(number),
    ms: Number(ms),
    stderr: stderr.trim(),
    why: reason(why ?? '', { ...o, code: Number(number) }),
  }
}

function reason(
  word: string,
  { step, code, connection }: { step: Step; code: number; connection: Connection },
): string {
  switch (word) {
    case 'exit':
      return `exit code ${code}`
    case 'deadline':
      return `it took longer than ${step.deadlineMs / 1000} s`
    case 'restarted':
      return `${connection.node} was restarted while it ran`
    case 'vanished':
      return 'it ended without saying how'
    case 'signal TERM':
      return 'it was stopped from outside: by someone there, or because the machine went down (signal TERM)'
    default:
      return word || 'it failed before'
  }
}

function given(thrown: Failure, o: { step: Step; begun: boolean }): End {
  const why = o.begun
    ? `the connection was cut, and the node did not come back: ${thrown.message}`
    : thrown.message
  return { ok: false, why, stderr: thrown.why ?? reasonOf(thrown) }
}
