import { CLASSES, type TaskClass } from '../../../contracts/tasks.ts'
import { type Entry, FairQueue } from '../../fair.ts'
import { type Hop, ownHop } from '../../hop.ts'
import { hear, type ReadyMessage, readyQueue, type TaskEvents, tellCompleted } from '../../tasks/events.ts'
import { type Attempt, attemptText, queuedName } from '../../tasks/names.ts'
import { isFinal, parsed, type TaskRecord } from '../../tasks/records.ts'
import { listQueued, listRunning } from './backlog.ts'
import type { Executors } from './executors.ts'
import { every, OURSELVES, type Parts } from './parts.ts'
import { Rates } from './rates.ts'

const SYNC_MS = 10_000
const SYNC_DEADLINE_MS = 600_000
const TICK_MS = 1_000
/** A published id that nobody claimed for so long is published again. */
const UNCLAIMED_MS = 60_000
/** Minutes that a priority is worth: low goes before what was submitted so much later, so nothing starves. */
const HEAD_START_MS = { high: 600_000, normal: 0, low: -600_000 } as const

/** A task that has an attempt queued, wherever it is on the way to an executor. */
interface Known {
  entry: Entry
  class: TaskClass
  kind: string
  name: string
  expires?: number
  /** Set once it was published. */
  out?: { at: number; claimed: boolean }
}

/** Reads `q/`, picks in fair order and keeps the ready window of each class filled. All it knows can be read again from the store. */
export class Dispatcher {
  readonly #o: Parts & { executors: Executors }
  readonly #known = new Map<string, Known>()
  /** Those of the known that were published or run: a few, where the backlog may be long. */
  readonly #outs = new Set<Known>()
  readonly #fair = new Map<TaskClass, FairQueue>(CLASSES.map(c => [c, new FairQueue()]))
  readonly #rates = new Rates()
  readonly #stops: (() => Promise<void>)[] = []
  #filling?: Promise<void>
  #again = false

  constructor(o: Parts & { executors: Executors }) {
    this.#o = o
  }

  async start(): Promise<void> {
    const { bus, log } = this.#o
    this.#stops.push(
      await hear(bus, 'queued', e => void this.#read(e.name, ownHop()).then(() => this.fill(), this.#missed)),
      await hear(bus, 'claimed', e => this.#claimed(e)),
      await hear(bus, 'ended', e => this.#ended(e)),
      every(SYNC_MS, log, 'reading the backlog', signal => this.#sync(signal)),
      every(TICK_MS, log, 'dispatching', signal => this.#tick(signal)),
    )
  }

  async stop(): Promise<void> {
    await Promise.all(this.#stops.map(stop => stop()))
  }

  /** Where a queued attempt stands; undefined: it does not wait here. */
  place(attempt: Attempt): { position: number; expectedWaitMs: number } | undefined {
    const known = this.#known.get(attemptText(attempt))
    if (!known || known.out?.claimed) return undefined
    const position = known.out ? 0 : (this.#fair.get(known.class)!.position(known.entry.key) ?? 0)
    const slots = this.#o.executors.slots(known.class)
    const ahead = position + this.#out(known.class).filter(k => k !== known).length
    return { position, expectedWaitMs: this.#rates.wait(known.class, ahead, slots) }
  }

  /** How many wait for an executor. */
  get waiting(): number {
    return [...this.#fair.values()].reduce((sum, f) => sum + f.size, 0)
  }

  /** Fills the windows. One at a time: a call while one runs makes that one look again. */
  fill(): Promise<void> {
    this.#again = true
    this.#filling ??= (async () => {
      try {
        while (this.#again) {
          this.#again = false
          for (const c of CLASSES) await this.#fillClass(c)
        }
      } finally {
        this.#filling = undefined
      }
    })()
    return this.#filling
  }

  async #fillClass(c: TaskClass): Promise<void> {
    const slots = this.#o.executors.slots(c)
    const fair = this.#fair.get(c)!
    const batch: Known[] = []
    const out = this.#out(c)
    while (out.length < 2 * slots) {
      const taken = new Set([...this.#outs].map(k => k.entry.alone))
      const entry = fair.next({
        held: user => out.filter(k => k.entry.user === user).length,
        slots,
        window: Math.max(1, 2 * slots - 1),
        may: e => e.alone === undefined || !taken.has(e.alone),
      })
      if (!entry) break
      const known = this.#known.get(entry.key)!
      known.out = { at: performance.now(), claimed: false }
      this.#outs.add(known)
      out.push(known)
      batch.push(known)
    }
    if (batch.length > 0) await this.#publish(c, batch, out)
  }

  async #publish(c: TaskClass, batch: Known[], out: Known[]): Promise<void> {
    const fates = await this.#o.bus
      .publish(
        readyQueue(c),
        batch.map(k => ({
          id: k.entry.key,
          // Who has nothing running goes ahead of who fills the window.
          priority: out.some(other => other !== k && other.entry.user === k.entry.user) ? 1 : 2,
          body: { name: k.name } satisfies ReadyMessage,
        })),
      )
      .catch(() => batch.map(() => 'refused' as const))
    for (const [i, known] of batch.entries()) {
      // `unclear` may have arrived: it counts as out, and is published again if nobody claims it.
      if (fates[i] === 'stored' || fates[i] === 'unclear' || !this.#known.has(known.entry.key)) continue
      known.out = undefined
      this.#outs.delete(known)
      const fair = this.#fair.get(c)!
      fair.correct(known.entry.user, known.entry.cost, 0)
      fair.add(known.entry)
    }
  }

  async #tick(signal: AbortSignal): Promise<void> {
    const now = performance.now()
    for (const known of [...this.#known.values()]) {
      if (known.out && !known.out.claimed && now - known.out.at > UNCLAIMED_MS) {
        known.out.at = now
        await this.#publish(known.class, [known], [])
      }
      if (known.expires !== undefined && known.expires <= Date.now() && !known.out?.claimed)
        await this.#expire(known, ownHop(undefined, signal))
    }
    await this.fill()
  }

  /** As a cancel, with another outcome: an executor that claimed it meanwhile ends it itself. */
  async #expire(known: Known, hop: Hop): Promise<void> {
    const { records, fence, bus } = this.#o
    const found = await records.get(known.name, hop)
    if (!found) return this.#gone(known.entry.key)
    const task = parsed<TaskRecord>(found)
    const end = {
      outcome: 'expired',
      at: Date.now(),
      reason: 'it was not started before its time was over',
    } as const
    const done = await fence.stop(task, { by: OURSELVES, waiting: false, end }, hop)
    tellCompleted(bus, task, done)
    this.#gone(known.entry.key)
  }

  async #sync(signal: AbortSignal): Promise<void> {
    const { records } = this.#o
    const before = [...this.#known.keys()]
    const seen = new Set<string>()
    for await (const { name, place } of listQueued(records, 'q/', ownHop(SYNC_DEADLINE_MS, signal))) {
      const key = attemptText(place)
      seen.add(key)
      if (!this.#known.has(key)) await this.#read(name, ownHop(undefined, signal))
    }
    for (const key of before) if (!seen.has(key)) this.#gone(key)
    for (const attempt of await listRunning(records, ownHop(undefined, signal))) this.#claimed(attempt)
    await this.fill()
  }

  async #read(name: string, hop: Hop): Promise<void> {
    if (!name.startsWith('q/')) return
    const found = await this.#o.records.get(name, hop)
    if (!found) return
    const task = parsed<TaskRecord>(found)
    const key = attemptText(task)
    if (this.#known.has(key)) return
    const kind = this.#o.kinds.get(task.kind)
    const alone = kind?.concurrencyKey?.(task.params)
    const entry: Entry = {
      key,
      user: task.user,
      rank: task.submitted - HEAD_START_MS[task.priority],
      cost: this.#rates.predict(task),
      // Of one user: a knowledge base of the same name may be another one of another user.
      ...(alone !== undefined && { alone: `${task.user} ${alone}` }),
    }
    const known = {
      entry,
      class: kind?.class ?? 'llm',
      kind: task.kind,
      name: queuedName(task),
      expires: task.expires,
    }
    this.#known.set(key, known)
    this.#fair.get(known.class)!.add(entry)
  }

  #claimed(attempt: Attempt): void {
    const known = this.#known.get(attemptText(attempt))
    if (!known) return
    this.#fair.get(known.class)!.remove(known.entry.key)
    known.out = { at: known.out?.at ?? performance.now(), claimed: true }
    this.#outs.add(known)
  }

  #ended(e: TaskEvents['ended']): void {
    const known = this.#known.get(attemptText(e))
    if (known) {
      this.#rates.measured({ kind: known.kind, class: known.class, tokens: e.tokens, ran: e.ran })
      const real = isFinal(e.outcome as 'done') && e.tokens > 0 ? e.tokens : 1
      if (known.out) this.#fair.get(known.class)!.correct(known.entry.user, known.entry.cost, real)
      this.#gone(known.entry.key)
    }
    void this.fill().catch(this.#missed)
  }

  #gone(key: string): void {
    const known = this.#known.get(key)
    if (!known) return
    this.#known.delete(key)
    this.#outs.delete(known)
    this.#fair.get(known.class)!.remove(key)
  }

  #out(c: TaskClass): Known[] {
    return [...this.#outs].filter(k => k.class === c)
  }

  readonly #missed = (thrown: unknown) =>
    this.#o.log.debug({ err: thrown }, 'a hint could not be followed; the next look at the backlog finds it')
}
