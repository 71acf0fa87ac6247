import { type Hop, ownHop } from '../../hop.ts'
import { tell, tellCompleted } from '../../tasks/events.ts'
import { unfinished } from '../../tasks/limits.ts'
import { type Attempt, attemptText, readRun } from '../../tasks/names.ts'
import { type ClaimRecord, parsed } from '../../tasks/records.ts'
import { type Executors, SILENT_MS } from './executors.ts'
import { every, type Parts } from './parts.ts'

const LOOK_MS = 5_000
const MAX_RUNNING = 10_000
/** If more than this share of the executors, and at least so many, fall silent together, the fault may be ours: wait once more. */
const TOGETHER = { share: 0.3, least: 3 }

interface Run {
  attempt: Attempt
  claim: ClaimRecord
}

/**
 * Looks through `run/`: finishes what was ended but not completed, and seals as `lost` what nobody reported for 30 s on this process's own
 * monotonic clock. An attempt counts as seen when this process first finds it, so after a start nothing is sealed for 30 s. When to seal is
 * a guess, and may be wrong; that the fence is create-once makes a wrong guess harmless.
 */
export class Reaper {
  readonly #o: Parts & { executors: Executors; now?(): number }
  readonly #firstSeen = new Map<string, number>()
  /** Until when a common silence is put down to ourselves; once per silence. */
  #patience?: number

  constructor(o: Parts & { executors: Executors; now?(): number }) {
    this.#o = o
  }

  start(): () => Promise<void> {
    return every(LOOK_MS, this.#o.log, 'looking for silent attempts', signal => this.look(signal))
  }

  async look(signal?: AbortSignal): Promise<void> {
    const hop = ownHop(undefined, signal)
    const now = this.#now()
    const runs = await this.#runs(hop)
    const open: Run[] = []
    for (const run of runs) {
      if (!this.#firstSeen.has(attemptText(run.attempt))) this.#firstSeen.set(attemptText(run.attempt), now)
      const done = await this.#o.fence.complete(run.attempt, run.claim, hop)
      if (done.is === 'open') open.push(run)
      else tellCompleted(this.#o.bus, run.attempt, done)
    }
    this.#forget(runs)
    const silent = open.filter(r => now - this.#heard(r) > SILENT_MS)
    if (!this.#wait(open, silent, now)) for (const run of silent) await this.#seal(run, hop)
  }

  /** Ends an attempt as lost, or the task as dead when that was too often. */
  async #seal({ attempt, claim }: Run, hop: Hop): Promise<void> {
    const { fence, bus, log } = this.#o
    const task = await fence.record(attempt, claim, hop)
    const reason = `executor ${claim.executor} fell silent`
    const end = task
      ? unfinished(task, { counts: 'lost', reason, now: Date.now() })
      : ({ outcome: 'lost', at: Date.now(), reason } as const)
    if ((await fence.end(attempt, end, hop)) === 'ended') {
      log.warn(
        { task: attempt.id, attempt: attempt.attempt, executor: claim.executor },
        'sealed a silent attempt',
      )
      tell(bus, 'sealed', attempt.id, attempt)
    }
    tellCompleted(bus, attempt, await fence.complete(attempt, claim, hop))
  }

  #wait(open: Run[], silent: Run[], now: number): boolean {
    const executors = (runs: Run[]) => new Set(runs.map(r => `${r.claim.executor} ${r.claim.boot}`)).size
    const fallen = executors(silent)
    if (fallen < TOGETHER.least || fallen <= TOGETHER.share * executors(open)) {
      if (silent.length === 0) this.#patience = undefined
      return false
    }
    this.#patience ??= now + SILENT_MS
    return now < this.#patience
  }

  #heard({ attempt }: Run): number {
    const first = this.#firstSeen.get(attemptText(attempt)) ?? 0
    return Math.max(first, this.#o.executors.lastSeen(attempt) ?? 0)
  }

  async #runs(hop: Hop): Promise<Run[]> {
    const found = await this.#o.records.list('run/', { limit: MAX_RUNNING, values: true }, hop)
    return found.flatMap(({ name, value }) => {
      const attempt = readRun(name)
      return attempt && value ? [{ attempt, claim: parsed<ClaimRecord>(value) }] : []
    })
  }

  #forget(runs: Run[]): void {
    const there = new Set(runs.map(r => attemptText(r.attempt)))
    for (const key of this.#firstSeen.keys()) if (!there.has(key)) this.#firstSeen.delete(key)
  }

  #now(): number {
    return this.#o.now?.() ?? performance.now()
  }
}
