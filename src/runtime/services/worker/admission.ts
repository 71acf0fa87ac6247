import { Cancel, offAbort, onAbort, type Stop } from '../../cancel.ts'
import { Refusal } from '../../refusal.ts'

export type Class = 'interactive' | 'task'

/**
 * Who may use the engine, and when. At most `slots` run and at most `slots` wait; the rest is refused with 429, so that the backlog stays
 * with the caller, who knows every worker. While an interactive request waits no task starts, and with two or more slots one is never
 * given to tasks.
 */
export class Admission {
  readonly slots: number
  readonly #changed: () => void
  readonly #running = new Set<Place>()
  /** Interactive ones first, each class by arrival. */
  #waiting: Place[] = []
  #closed = false

  constructor(o: { slots: number; changed?: () => void }) {
    this.slots = o.slots
    this.#changed = o.changed ?? (() => {})
  }

  get running(): number {
    return this.#running.size
  }

  get queued(): number {
    return this.#waiting.length
  }

  /** A place at the engine or in the line for it. Throws 429 when the line is full. Whoever got a place must `leave()` it. */
  enter(o: { class: Class; stop: Stop }): Place {
    o.stop.throwIfAborted()
    if (this.#closed) throw stopping()
    const starts = this.#mayStart(o.class)
    if (!starts) this.#makeRoom(o.class)
    const place = new Place(o, {
      positionOf: p => this.#waiting.indexOf(p) + 1,
      left: p => this.#left(p),
    })
    if (starts) this.#start(place)
    else this.#wait(place)
    this.#changed()
    return place
  }

  /** Takes no one more, refuses those who wait, lets the running ones end; aborts what still runs after `deadlineMs`. */
  async close(deadlineMs: number): Promise<void> {
    this.#closed = true
    for (const place of [...this.#waiting]) place.refuse(stopping())
    const late = setTimeout(() => {
      for (const place of this.#running) place.refuse(stopping())
    }, deadlineMs)
    await Promise.all([...this.#running].map(p => p.over))
    clearTimeout(late)
  }

  #mayStart(wanted: Class): boolean {
    const overtakes = wanted === 'interactive' ? this.#waiting[0]?.class !== 'interactive' : !this.#waiting[0]
    return overtakes && this.#fits(wanted)
  }

  #fits(wanted: Class): boolean {
    if (this.#running.size >= this.slots) return false
    if (wanted === 'interactive' || this.slots === 1) return true
    let tasks = 0
    for (const p of this.#running) if (p.class === 'task') tasks++
    return tasks < this.slots - 1
  }

  #start(place: Place): void {
    this.#running.add(place)
    place.start()
  }

  /** A full line gives up its last task for an interactive request. */
  #makeRoom(wanted: Class): void {
    if (this.#waiting.length < this.slots) return
    const last = this.#waiting.at(-1)!
    if (wanted === 'task' || last.class === 'interactive') throw busy()
    last.refuse(busy())
  }

  #wait(place: Place): void {
    const firstTask = this.#waiting.findIndex(p => p.class === 'task')
    if (place.class === 'task' || firstTask < 0) this.#waiting.push(place)
    else this.#waiting.splice(firstTask, 0, place)
    for (const p of this.#waiting) p.moved()
  }

  #left(place: Place): void {
    this.#running.delete(place)
    const before = this.#waiting.length
    this.#waiting = this.#waiting.filter(p => p !== place)
    while (this.#waiting[0] && this.#fits(this.#waiting[0].class)) this.#start(this.#waiting.shift()!)
    if (this.#waiting.length !== before) for (const p of this.#waiting) p.moved()
    this.#changed()
  }
}

/** One request at the worker: it waits, runs and leaves, and is counted in exactly one of these. */
export class Place {
  readonly class: Class
  /** Settles once it has left. */
  readonly over: Promise<void>
  /** Fires when the caller went away, its deadline passed, or the worker gave the place up. */
  readonly cancel = new Cancel()
  readonly #line: { positionOf(p: Place): number; left(p: Place): void }
  readonly #unlink: () => void
  #state: 'waiting' | 'running' | 'left' = 'waiting'
  #wake: (() => void) | undefined
  #end!: () => void

  constructor(o: { class: Class; stop: Stop }, line: { positionOf(p: Place): number; left(p: Place): void }) {
    this.class = o.class
    this.#line = line
    this.over = new Promise(resolve => {
      this.#end = resolve
    })
    const abort = () => this.refuse(o.stop.reason)
    onAbort(o.stop, abort)
    this.#unlink = () => offAbort(o.stop, abort)
  }

  get signal(): AbortSignal {
    return this.cancel.signal
  }

  get started(): boolean {
    return this.#state === 'running'
  }

  /** From 1: who starts next. */
  get position(): number {
    return this.#line.positionOf(this)
  }

  /** Its position each time that changes, until it may run; throws when it never will. */
  async *wait(): AsyncGenerator<number> {
    let said = 0
    for (;;) {
      this.cancel.throwIfAborted()
      if (this.started) return
      const { position } = this
      if (position === said) {
        await new Promise<void>(resolve => {
          this.#wake = resolve
        })
      } else {
        said = position
        yield position
      }
    }
  }

  start(): void {
    this.#state = 'running'
    this.moved()
  }

  moved(): void {
    this.#wake?.()
    this.#wake = undefined
  }

  /** Takes the place away: one that waits is out at once, one that runs is told by its signal. */
  refuse(reason: unknown): void {
    this.cancel.abort(reason)
    if (this.#state === 'waiting') this.leave()
    this.moved()
  }

  /** Safe to call at any time and again. */
  leave(): void {
    if (this.#state === 'left') return
    this.#state = 'left'
    this.#unlink()
    this.#line.left(this)
    this.#end()
  }
}

const busy = () =>
  new Refusal(429, 'busy', 'The worker is busy and its queue is full.', {
    next: 'Try again in a moment.',
    retryAfterSeconds: 1,
  })

const stopping = () =>
  new Refusal(503, 'stopping', 'The worker is stopping.', {
    next: 'Try again in a moment.',
    retryAfterSeconds: 1,
  })
