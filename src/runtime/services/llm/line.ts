import { STREAM_BEAT_MS } from '../../../contracts/hop.ts'
import { FairQueue } from '../../fair.ts'
import type { Metrics } from '../../metrics.ts'
import { Refusal } from '../../refusal.ts'
import { LineFigures } from './line-figures.ts'
import { type Arrival, type Class, type Request, Ticket } from './ticket.ts'
import type { Candidate } from './workers.ts'

/** What the line knows of workers. */
export interface Room {
  /** Whether any worker takes one more of that class. */
  any(of: Class): boolean
  /** The best of these that takes one more; undefined: all are full. */
  free(candidates: Candidate[], of: Class): Candidate | undefined
  isUp(candidates: Candidate[]): boolean
  /** Requests that all workers together take at a time, and that wait at these. */
  capacity(): number
  queuedAt(candidates: Candidate[]): number
  /** Counts a request on its worker until the returned function is called. */
  sent(to: Candidate, of: Class): () => void
}

/** Of those that wait, interactive requests go before tasks. */
const CLASSES: Class[] = ['interactive', 'task']
/** A worker that is silent for so long is dead. */
const DEAD_MS = 10_000

/**
 * Where questions wait that no worker has room for: interactive ones before tasks, each class in fair order over users. Bounded in length and,
 * for interactive ones, in time; a task waits as long as its deadline allows. A full line is not the loss of who came last: it gives up the
 * last one of whoever has most in it.
 */
export class Line {
  readonly #room: Room
  readonly #most: number
  readonly #waitMs: number
  readonly #figures: LineFigures
  #queues = { interactive: new FairQueue(), task: new FairQueue() }
  readonly #waiting = new Map<string, Ticket>()
  readonly #held = new Map<string, number>()
  #arrivals = 0
  #beat: NodeJS.Timeout | undefined
  #closed = false

  constructor(o: { room: Room; most: number; waitMs: number; metrics: Metrics }) {
    this.#room = o.room
    this.#most = o.most
    this.#waitMs = o.waitMs
    this.#figures = new LineFigures(o.metrics, of => this.#queues[of].size)
  }

  arrive(): Arrival {
    return { rank: this.#arrivals++, at: performance.now() }
  }

  /** Throws 429 when a request would be refused: asked before anything is done for it. */
  requireRoom(request: Pick<Request, 'user' | 'class' | 'candidates'>): void {
    if (this.#waiting.size < this.#most || this.#room.free(request.candidates, request.class)) return
    if (this.#toGo(request) === undefined) throw this.#full()
  }

  /** A worker, or a place in the line. Whoever got either must `leave()` it. */
  enter(request: Request): Ticket {
    request.stop.throwIfAborted()
    if (this.#closed) throw stopping()
    if (!this.#room.isUp(request.candidates)) throw noWorker()
    if (this.#isLate(request)) throw this.#tooLong()
    const ticket = new Ticket(request, (t, tokens) => this.#left(t, tokens))
    const free = this.#waiting.size === 0 && this.#room.free(request.candidates, request.class)
    if (free) this.#send(ticket, free)
    else this.#wait(ticket)
    return ticket
  }

  /** A worker has room again, or may have. */
  pump(): void {
    if (this.#closed) return
    for (const of of CLASSES) {
      for (let t = this.#next(of); t; t = this.#next(of)) {
        this.#waiting.delete(t.key)
        this.#send(t, this.#room.free(t.request.candidates, of)!)
      }
      // Nobody waits, so nobody is behind anybody: users that went need not be remembered.
      if (this.#queues[of].size === 0) this.#queues[of] = new FairQueue()
    }
    if (this.#waiting.size === 0) this.#rest()
  }

  close(): void {
    this.#closed = true
    for (const ticket of [...this.#waiting.values()]) ticket.refuse(stopping())
  }

  #wait(ticket: Ticket): void {
    const { user, class: of, cost, arrival } = ticket.request
    const goes = this.#waiting.size < this.#most ? undefined : this.#toGo(ticket.request)
    ticket.queued()
    this.#waiting.set(ticket.key, ticket)
    this.#queues[of].add({ key: ticket.key, user, rank: arrival.rank, cost })
    this.pump()
    if (this.#waiting.size > this.#most) (goes ?? ticket).refuse(this.#full())
    if (ticket.worker) return
    this.#tell(ticket)
    this.#beat ??= setInterval(() => this.#look(), STREAM_BEAT_MS).unref()
  }

  #send(ticket: Ticket, to: Candidate): void {
    const { user, class: of, arrival } = ticket.request
    this.#held.set(user, (this.#held.get(user) ?? 0) + 1)
    this.#figures.sent(of, performance.now() - arrival.at)
    ticket.send(to, this.#room.sent(to, of))
  }

  #left(ticket: Ticket, tokens: number | undefined): void {
    const { user, class: of, cost } = ticket.request
    if (ticket.worker) {
      const held = this.#held.get(user)! - 1
      if (held > 0) this.#held.set(user, held)
      else this.#held.delete(user)
      if (tokens !== undefined) this.#queues[of].correct(user, cost, tokens)
      this.#figures.ended()
    } else {
      this.#waiting.delete(ticket.key)
      this.#queues[of].remove(ticket.key)
    }
    if (this.#waiting.size > 0) this.pump()
    else this.#rest()
  }

  /** While others wait, one user has at most half of the workers' room, unless it would stand empty. */
  #next(of: Class): Ticket | undefined {
    const queue = this.#queues[of]
    if (queue.size === 0 || !this.#room.any(of)) return undefined
    const rules = {
      held: (user: string) => this.#held.get(user) ?? 0,
      slots: this.#room.capacity(),
      window: Number.POSITIVE_INFINITY,
      may: ({ key }: { key: string }) =>
        this.#room.free(this.#waiting.get(key)!.request.candidates, of) !== undefined,
    }
    const entry = queue.next(rules) ?? queue.next({ ...rules, slots: Number.POSITIVE_INFINITY })
    return entry && this.#waiting.get(entry.key)
  }

  /** Who gives way when one more comes into a full line: the last of whoever has most in it, a task first; undefined: the newcomer itself. */
  #toGo({ user, class: of }: Pick<Request, 'user' | 'class'>): Ticket | undefined {
    const among = of === 'task' || this.#queues.task.size > 0 ? 'task' : 'interactive'
    const lasts = new Map<string, { ticket: Ticket; count: number }>()
    for (const ticket of this.#waiting.values()) {
      if (ticket.request.class !== among) continue
      const count = (lasts.get(ticket.request.user)?.count ?? 0) + 1
      lasts.set(ticket.request.user, { ticket, count })
    }
    const most = [...lasts.values()].reduce((a, b) => (a && a.count >= b.count ? a : b), noOne)
    const own = of === among ? (lasts.get(user)?.count ?? 0) + 1 : 0
    return most && most.count > own ? most.ticket : undefined
  }

  /** Once a second: everybody hears where they stand, and who waited too long is told so. */
  #look(): void {
    const now = performance.now()
    for (const ticket of [...this.#waiting.values()]) {
      const up = this.#room.isUp(ticket.request.candidates)
      ticket.downSince = up ? undefined : (ticket.downSince ?? now)
      if (ticket.downSince !== undefined && now - ticket.downSince > DEAD_MS) ticket.refuse(noWorker())
      else if (this.#isLate(ticket.request)) ticket.refuse(this.#tooLong())
      else this.#tell(ticket)
    }
    this.pump()
  }

  #tell(ticket: Ticket): void {
    const { class: of, candidates } = ticket.request
    const before = this.#queues[of].position(ticket.key) ?? 0
    const interactive = of === 'task' ? this.#queues.interactive.size : 0
    ticket.at(1 + before + interactive + this.#room.queuedAt(candidates))
  }

  #isLate({ class: of, arrival }: Request): boolean {
    return of === 'interactive' && performance.now() - arrival.at >= this.#waitMs
  }

  #rest(): void {
    clearInterval(this.#beat)
    this.#beat = undefined
  }

  #full(): Refusal {
    this.#figures.refused('full')
    return busy(
      `All workers are busy, and ${this.#most} questions wait already.`,
      this.#figures.seconds(this.#waiting.size),
    )
  }

  #tooLong(): Refusal {
    this.#figures.refused('waited')
    return busy(
      `No worker was free within ${Math.round(this.#waitMs / 1000)} s.`,
      this.#figures.seconds(this.#waiting.size),
    )
  }
}

const noOne = undefined as { ticket: Ticket; count: number } | undefined

const busy = (message: string, retryAfterSeconds: number) =>
  new Refusal(429, 'busy', message, { next: 'Try again in a moment.', retryAfterSeconds })

const noWorker = () =>
  new Refusal(503, 'no_worker', 'No worker that has the model answers.', {
    next: 'See `llmagentos cluster status`.',
    retryAfterSeconds: 2,
  })

const stopping = () =>
  new Refusal(503, 'stopping', 'The service is stopping.', {
    next: 'Try again in a moment.',
    retryAfterSeconds: 1,
  })
