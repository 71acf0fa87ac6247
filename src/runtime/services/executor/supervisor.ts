import type { Address, TlsFiles } from '../../../contracts/config.ts'
import type { Log } from '../../../log.ts'
import type { Bus, Delivery, Verdict } from '../../bus/index.ts'
import { ownHop } from '../../hop.ts'
import type { Records } from '../../records.ts'
import type { ReadyMessage } from '../../tasks/events.ts'
import { tell, tellCompleted } from '../../tasks/events.ts'
import { Fence } from '../../tasks/fence.ts'
import { type Attempt as AttemptId, attemptText, readQueued } from '../../tasks/names.ts'
import { type ClaimRecord, type EndRecord, parsed, type TaskRecord } from '../../tasks/records.ts'
import type { Calls } from '../../transport.ts'
import { Attempt, type Grant, grantFor, isRefused, refusedReason } from './attempt.ts'
import type { Children } from './children.ts'

/** A result is worth waiting for the store: so long it is offered, and the attempt kept alive. */
const STORE_END_MS = 10 * 60_000

export interface SupervisorOptions {
  name: string
  boot: string
  records: Records
  bus: Bus
  calls: Calls
  children: Children
  services: Record<string, Address[]>
  tls?: TlsFiles
  log: Log
  ended?(outcome: string): void
  graceMs?: number
}

/** Takes ready tasks, claims them, has a child run each and ends exactly the attempt it claimed. It alone talks to broker and store. */
export class Supervisor {
  readonly #o: SupervisorOptions
  readonly #fence: Fence
  readonly #running = new Map<string, { id: AttemptId; attempt?: Attempt }>()
  #stopping = false

  constructor(o: SupervisorOptions) {
    this.#o = o
    this.#fence = new Fence(o.records)
  }

  get running(): AttemptId[] {
    return [...this.#running.values()].map(r => r.id)
  }

  /** One message. `back` only when auth or store are away, so that the task costs no attempt. */
  async deliver(d: Delivery): Promise<Verdict> {
    const { name } = d.body as ReadyMessage
    if (typeof name !== 'string' || !readQueued(name)) return { dead: 'it names no task record' }
    if (this.#stopping) return 'back'
    const hop = ownHop()
    const found = await this.#o.records.get(name, hop)
    if (!found) return 'ack'
    const granted = await this.#grant(parsed<TaskRecord>(found))
    if (granted === 'away') return 'back'
    const claimed = await this.#fence.claim(name, this.#identity(), hop)
    if (claimed.is === 'claimed') await this.#work(claimed.task, granted)
    return 'ack'
  }

  /** Ends the child of an attempt that was ended from outside. */
  sealed(id: AttemptId): void {
    this.#running.get(attemptText(id))?.attempt?.stop('sealed')
  }

  /** Gives back what runs: each attempt ends as lost, and its task goes on elsewhere. */
  stop(): void {
    this.#stopping = true
    for (const { attempt } of this.#running.values()) attempt?.stop('stopping')
  }

  async #grant(task: TaskRecord): Promise<Grant | { refused: string } | 'away'> {
    try {
      return await grantFor(task, this.#o.calls)
    } catch (thrown) {
      if (isRefused(thrown)) return { refused: (thrown as Error).message }
      this.#o.log.warn({ task: task.id, err: thrown }, 'no token for a task yet; it is given back')
      return 'away'
    }
  }

  async #work(task: TaskRecord, granted: Grant | { refused: string }): Promise<void> {
    const { bus, log, name } = this.#o
    const id = { id: task.id, attempt: task.attempt }
    const key = attemptText(id)
    this.#running.set(key, { id })
    tell(bus, 'claimed', task.id, { ...id, executor: name })
    try {
      const end =
        'refused' in granted
          ? ({ outcome: 'failed', at: Date.now(), reason: refusedReason(granted.refused) } as const)
          : await this.#attempt(task, granted, key).run()
      if (end) await this.#end(task, end)
    } catch (thrown) {
      // Not lost: the claim stays, and the reaper seals what nobody reports any more.
      log.error({ task: task.id, attempt: task.attempt, err: thrown }, 'an attempt could not be ended')
    } finally {
      this.#running.delete(key)
    }
  }

  #attempt(task: TaskRecord, grant: Grant, key: string): Attempt {
    const { bus, calls, children, services, tls, log, graceMs } = this.#o
    const id = { id: task.id, attempt: task.attempt }
    const progress = (text: string) => tell(bus, 'progress', task.id, { ...id, text })
    const attempt = new Attempt({
      ...{ task, grant, calls, children, services, tls, progress, graceMs },
      log: log.child({ task: task.id, attempt: task.attempt, kind: task.kind }),
    })
    this.#running.set(key, { id, attempt })
    if (this.#stopping) attempt.stop('stopping')
    return attempt
  }

  async #end(task: TaskRecord, end: EndRecord): Promise<void> {
    const { log, ended, bus } = this.#o
    const hop = ownHop(STORE_END_MS)
    const won = (await this.#fence.end(task, end, hop)) === 'ended'
    log.info(
      { task: task.id, attempt: task.attempt, kind: task.kind, outcome: end.outcome, ms: end.ran, won },
      won ? 'an attempt ended' : 'an attempt had been ended by somebody else; its result is void',
    )
    if (won) ended?.(end.outcome)
    tellCompleted(bus, task, await this.#fence.complete(task, this.#claim(task), hop))
  }

  #claim(task: TaskRecord): ClaimRecord {
    return { ...this.#identity(), user: task.user, priority: task.priority }
  }

  #identity(): Pick<ClaimRecord, 'executor' | 'boot'> {
    return { executor: this.#o.name, boot: this.#o.boot }
  }
}
