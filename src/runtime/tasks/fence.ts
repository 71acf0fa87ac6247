import type { Hop } from '../hop.ts'
import type { Records } from '../records.ts'
import { nextAttempt } from './limits.ts'
import {
  type Attempt,
  endName,
  historyName,
  queuedName,
  readQueued,
  readWaiting,
  runName,
  waitingName,
} from './names.ts'
import {
  type ClaimRecord,
  type EndRecord,
  type HistoryRecord,
  isFinal,
  parsed,
  type TaskRecord,
} from './records.ts'

export type Claimed =
  | { is: 'claimed'; task: TaskRecord }
  /** Nothing to do: it ended, somebody has it, or it had ended and is completed now. */
  | { is: 'gone' | 'taken' | 'ended' }

/** What complete() left behind: the end of the task, its next attempt, or nothing because somebody else had completed it. */
export type Completed =
  | { is: 'final'; task: TaskRecord; end: EndRecord }
  | { is: 'again'; task: TaskRecord; end: EndRecord; name: string }
  | { is: 'done-before' }
  | { is: 'open' }

/**
 * The one place that writes `run`, `e<N>` and what follows from it, in the order that the checked model (RUNTIME section 2) allows. Any call
 * may be cut off after any write; whoever comes next goes on from what is stored.
 */
export class Fence {
  readonly #records: Records

  constructor(records: Records) {
    this.#records = records
  }

  /** `name` is that of a queued or a waiting record. The look at `e<N>` comes after the claim: without it an ended attempt could run again. */
  async claim(name: string, by: Pick<ClaimRecord, 'executor' | 'boot'>, hop: Hop): Promise<Claimed> {
    const found = await this.#records.get(name, hop)
    if (!found) return { is: 'gone' }
    const task = parsed<TaskRecord>(found)
    const waiting = readWaiting(name) ? task.notBefore : undefined
    const claim: ClaimRecord = {
      ...by,
      user: task.user,
      priority: task.priority,
      ...(waiting !== undefined && { waiting }),
    }
    if ((await this.#records.create(runName(task), claim, hop)) === 'exists') return { is: 'taken' }
    if (!(await this.ended(task, hop))) return { is: 'claimed', task }
    await this.complete(task, claim, hop)
    return { is: 'ended' }
  }

  /** The fence itself: the first to end an attempt decides; `sealed` = somebody else was first, and what this one did is void. */
  async end(attempt: Attempt, end: EndRecord, hop: Hop): Promise<'ended' | 'sealed'> {
    return (await this.#records.create(endName(attempt), end, hop)) === 'created' ? 'ended' : 'sealed'
  }

  /**
   * Ends a task that may or may not be running: cancelled or expired. The claim keeps others from starting it, the end record decides.
   * `sealed`: this attempt had ended otherwise before, so look for the task again.
   */
  async stop(
    task: TaskRecord,
    o: { by: Pick<ClaimRecord, 'executor' | 'boot'>; waiting: boolean; end: EndRecord },
    hop: Hop,
  ): Promise<Completed | { is: 'sealed' }> {
    const claim: ClaimRecord = {
      ...o.by,
      user: task.user,
      priority: task.priority,
      ...(o.waiting && { waiting: task.notBefore }),
    }
    await this.#records.create(runName(task), claim, hop)
    const won = (await this.end(task, o.end, hop)) === 'ended'
    const done = await this.complete(task, claim, hop)
    return won ? done : { is: 'sealed' }
  }

  async ended(attempt: Attempt, hop: Hop): Promise<EndRecord | undefined> {
    const found = await this.#records.get(endName(attempt), hop)
    return found && parsed<EndRecord>(found)
  }

  /** What follows from `e<N>`, by anyone, as often as they like. `run` goes last, so that a list of `run/` finds every unfinished act. */
  async complete(attempt: Attempt, claim: ClaimRecord, hop: Hop): Promise<Completed> {
    const end = await this.ended(attempt, hop)
    if (!end) return { is: 'open' }
    const task = await this.record(attempt, claim, hop)
    const done = task ? await this.#follow(task, end, hop) : ({ is: 'done-before' } as const)
    if (task) await this.#clear(task, hop)
    await this.#records.delete(runName(attempt), hop)
    return done
  }

  /** The request of an attempt that somebody has; undefined: its end was completed already, for the record goes after what follows from it. */
  async record(attempt: Attempt, claim: ClaimRecord, hop: Hop): Promise<TaskRecord | undefined> {
    const place = { ...attempt, user: claim.user, priority: claim.priority }
    // Waiting first: it is moved by a create under `q/` and then a delete here, so that in this order one of the two is always found.
    const waiting =
      claim.waiting !== undefined && (await this.#records.get(waitingName(place, claim.waiting), hop))
    const found = waiting || (await this.#records.get(queuedName(place), hop))
    return found ? parsed<TaskRecord>(found) : undefined
  }

  /** A waiting record that is due: queued, then no longer waiting. */
  async due(name: string, hop: Hop): Promise<string | undefined> {
    const found = await this.#records.get(name, hop)
    if (!found) return undefined
    const queued = queuedName(parsed<TaskRecord>(found))
    await this.#records.create(queued, found, hop)
    await this.#records.delete(name, hop)
    return queued
  }

  async #follow(task: TaskRecord, end: EndRecord, hop: Hop): Promise<Completed> {
    if (isFinal(end.outcome)) {
      const { result: _, ...rest } = end
      const history: HistoryRecord = { request: task, end: rest }
      await this.#records.create(historyName(task.user, task.id, end.outcome), history, hop)
      return { is: 'final', task, end }
    }
    const next = nextAttempt(task, end)
    const name = next.notBefore === undefined ? queuedName(next) : waitingName(next, next.notBefore)
    await this.#records.create(name, next, hop)
    return { is: 'again', task: next, end, name }
  }

  async #clear(task: TaskRecord, hop: Hop): Promise<void> {
    if (task.notBefore !== undefined) await this.#records.delete(waitingName(task, task.notBefore), hop)
    await this.#records.delete(queuedName(task), hop)
  }
}

/** The attempt that a queued or waiting record's name stands for. */
export const placeOf = (name: string) => readQueued(name) ?? readWaiting(name)
