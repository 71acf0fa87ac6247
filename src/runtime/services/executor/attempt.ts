import { exchangeTask } from '../../../contracts/auth.ts'
import type { Address, TlsFiles } from '../../../contracts/config.ts'
import { reasonOf } from '../../../errors.ts'
import type { Log } from '../../../log.ts'
import { ownHop } from '../../hop.ts'
import { Refusal } from '../../refusal.ts'
import { unfinished } from '../../tasks/limits.ts'
import type { EndRecord, TaskRecord } from '../../tasks/records.ts'
import type { Calls } from '../../transport.ts'
import type { RunEnd } from './child-process.ts'
import type { Children } from './children.ts'

/** Longest time of one attempt: internal writes are refused when they are an hour old, so none may live longer. */
const LONGEST_MS = 55 * 60_000
/** What a child has between being asked to stop and SIGKILL. */
const GRACE_MS = 3_000
/** A token is renewed so long before it ends. */
const RENEW_BEFORE_MS = 25_000
const RENEW_AGAIN_MS = 2_000
const STOPPED_BEFORE: RunEnd = { is: 'crashed', reason: 'stopped before its start' }

export interface Grant {
  token: string
  expiresAt: number
}

export interface AttemptOptions {
  task: TaskRecord
  grant: Grant
  calls: Calls
  children: Children
  services: Record<string, Address[]>
  tls?: TlsFiles
  log: Log
  progress(text: string): void
  /** Another than 3 s in tests. */
  graceMs?: number
}

/** Why an attempt was told to stop before its child had ended. */
type Stop = 'sealed' | 'stopping' | 'expired' | 'too long' | 'refused'

/** Trades our identity and the task's stored rights for a token of its user. */
export const grantFor = (task: TaskRecord, calls: Calls): Promise<Grant> =>
  calls.call(exchangeTask, ownHop(10_000), {
    body: { task: task.id, attempt: task.attempt, user: task.user, key: task.key, scopes: task.scopes },
  })

/** True when auth answered, and its answer was no. */
export const isRefused = (thrown: unknown) =>
  thrown instanceof Refusal && (thrown.status === 401 || thrown.status === 403)

/** One attempt in a child: started, kept supplied with tokens, and stopped when its time is over or it was given away. */
export class Attempt {
  readonly #o: AttemptOptions
  #stop?: Stop
  #asked?: (stop: Stop) => void
  #refusal = ''

  constructor(o: AttemptOptions) {
    this.#o = o
  }

  /** Asks the child to stop, and kills it when it does not. Safe to call at any time. */
  stop(why: Stop): void {
    this.#stop ??= why
    this.#asked?.(this.#stop)
  }

  /** How it ended; undefined: it was sealed from outside, and whatever it did is void. */
  async run(): Promise<EndRecord | undefined> {
    const started = performance.now()
    const end = await this.#inChild()
    const ran = Math.round(performance.now() - started)
    return this.#stop === 'sealed' ? undefined : this.#endRecord(end, ran)
  }

  async #inChild(): Promise<RunEnd> {
    const { task, grant, children, services, tls } = this.#o
    const deadline = Math.min(Date.now() + LONGEST_MS, task.expires ?? Number.POSITIVE_INFINITY)
    if (deadline <= Date.now()) this.stop('expired')
    if (this.#stop) return STOPPED_BEFORE
    const taken = await children.take().catch((thrown: unknown) => reasonOf(thrown))
    if (typeof taken === 'string') return { is: 'crashed', reason: taken }
    const child = taken
    const timers = new Set<NodeJS.Timeout>()
    this.#asked = why => {
      child.abort(why)
      timers.add(setTimeout(() => child.kill(), this.#o.graceMs ?? GRACE_MS))
    }
    timers.add(
      setTimeout(
        () => this.stop(task.expires !== undefined && Date.now() >= task.expires ? 'expired' : 'too long'),
        deadline - Date.now(),
      ),
    )
    const renewal = this.#renewing(grant, token => child.renew(token))
    try {
      if (this.#stop) return STOPPED_BEFORE
      const { id, attempt, kind, params, model } = task
      return await child.run(
        {
          type: 'run',
          task: { id, attempt, kind, params, model },
          token: grant.token,
          services,
          tls,
          deadline,
        },
        this.#o.progress,
      )
    } finally {
      this.#asked = undefined
      for (const timer of timers) clearTimeout(timer)
      renewal()
      children.give(child)
    }
  }

  /** Tokens live a minute, tasks may live longer. Returns what stops the renewing. */
  #renewing(first: Grant, renewed: (token: string) => void): () => void {
    const { task, calls, log } = this.#o
    let timer: NodeJS.Timeout
    let over = false
    const plan = (ms: number) => {
      if (!over) timer = setTimeout(() => void renew(), Math.max(RENEW_AGAIN_MS, ms)).unref()
    }
    const renew = async () => {
      try {
        const next = await grantFor(task, calls)
        // The child may be at the task of another user by now.
        if (over) return
        renewed(next.token)
        plan(next.expiresAt - Date.now() - RENEW_BEFORE_MS)
      } catch (thrown) {
        if (over) return
        if (isRefused(thrown)) {
          this.#refusal = reasonOf(thrown)
          return this.stop('refused')
        }
        log.warn({ task: task.id, err: thrown }, 'a token could not be renewed yet')
        plan(RENEW_AGAIN_MS)
      }
    }
    plan(first.expiresAt - Date.now() - RENEW_BEFORE_MS)
    return () => {
      over = true
      clearTimeout(timer)
    }
  }

  #endRecord(end: RunEnd, ran: number): EndRecord {
    const { task } = this.#o
    const now = Date.now()
    const figures = { ran, ...('usage' in end && { usage: end.usage }) }
    const unfinishedFor = (counts: 'crashed' | 'errors' | 'lost', reason: string, afterMs?: number) =>
      unfinished(task, { counts, reason, now, afterMs, ...figures })
    // A child that finished in the moment it was told to stop has finished.
    if (end.is === 'done') return { outcome: 'done', at: now, result: end.result, ...figures }
    if (this.#stop === 'expired')
      return { outcome: 'expired', at: now, reason: 'its time was over', ...figures }
    if (this.#stop === 'refused')
      return { outcome: 'failed', at: now, reason: refusedReason(this.#refusal), ...figures }
    if (this.#stop === 'stopping') return unfinishedFor('lost', 'its executor was stopped')
    if (this.#stop === 'too long') return unfinishedFor('errors', 'it ran longer than 55 minutes')
    if (end.is === 'failed') return { outcome: 'failed', at: now, reason: end.reason, ...figures }
    if (end.is === 'again') return unfinishedFor('errors', end.reason, end.afterMs)
    return unfinishedFor('crashed', end.reason)
  }
}

export const refusedReason = (why: string) => `The key that submitted it may no longer do this: ${why}`
