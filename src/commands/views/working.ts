import type { UpEvent } from '../../provision/index.ts'
import { lineOf } from './up-progress.ts'

/** What a run shows: lines that stay, and what is going on now. Never changed in place. */
export interface Picture {
  lines: Line[]
  /** By node, in the order in which they began. */
  rows: Row[]
  /** What is waited for while no step runs. */
  phase?: { says: string; since: number; stays: boolean }
  done: number
  /** Of the plan that was agreed to; later rounds may add some. */
  planned: number
  began: number
  /** Ctrl-C came: what runs ends, nothing new starts. */
  stopping: boolean
  over: boolean
}

export interface Line {
  text: string
  failed: boolean
}

export interface Row {
  node: string
  says: string
  since: number
  /** The last that it said. */
  output?: string
}

/** Events of a run become a picture of it. Times are of the monotonic clock. */
export class Working {
  #picture: Picture
  readonly #watchers = new Set<() => void>()
  readonly #now: () => number

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
    this.#picture = { lines: [], rows: [], done: 0, planned: 0, began: now(), stopping: false, over: false }
  }

  readonly picture = (): Picture => this.#picture
  readonly subscribe = (watcher: () => void): (() => void) => {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  stopping(): void {
    this.#set({ stopping: true })
  }

  end(): void {
    this.#set({ over: true, rows: [], phase: undefined, lines: this.#withPhase() })
  }

  tell(event: UpEvent): void {
    this.#set(this.#after(event))
  }

  #after(event: UpEvent): Partial<Picture> {
    const { lines, rows, done, planned } = this.#picture
    const others = 'step' in event ? rows.filter(row => row.node !== event.step.node) : rows
    const text = lineOf(event)
    switch (event.type) {
      case 'phase':
        return { phase: this.#waits(event.says), rows: [], lines: this.#withPhase() }
      case 'waiting':
        return {
          phase: this.#waits(`Waiting: ${event.holder.who} has the lock (${event.holder.doing})`),
          lines: this.#withPhase(),
        }
      case 'plan':
        return { planned: event.plans.flatMap(plan => plan.waves.flatMap(wave => wave.steps)).length }
      case 'begin': {
        const { node, says } = event.step
        return {
          phase: undefined,
          rows: [...others, { node, says, since: this.#now() }],
          lines: this.#withPhase(),
        }
      }
      case 'output':
        return {
          rows: rows.map(row => (row.node === event.step.node ? { ...row, output: event.line } : row)),
        }
      case 'done':
        return {
          rows: others,
          done: done + 1,
          planned: Math.max(planned, done + 1),
          lines: plus(lines, text, false),
          ...(others.length === 0 && { phase: { ...this.#waits('Looking at what is next'), stays: false } }),
        }
      case 'failed':
        return { rows: others, lines: plus(lines, text, true) }
      default:
        return { lines: plus(lines, text, event.type === 'cut') }
    }
  }

  #waits(says: string) {
    return { says, since: this.#now(), stays: true }
  }

  /** What was waited for has come. */
  #withPhase(): Line[] {
    const { lines, phase } = this.#picture
    return plus(lines, phase?.stays ? phase.says : undefined, false)
  }

  #set(change: Partial<Picture>): void {
    this.#picture = { ...this.#picture, ...change }
    for (const watcher of this.#watchers) watcher()
  }
}

const plus = (lines: Line[], text: string | undefined, failed: boolean): Line[] =>
  text === undefined ? lines : [...lines, { text, failed }]
