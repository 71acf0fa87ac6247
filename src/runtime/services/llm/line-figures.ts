import type { Metrics } from '../../metrics.ts'
import type { Class } from './ticket.ts'

/** The longest that a caller is told to stay away. */
const MOST_SECONDS = 60
/** How far back the pace of answers is looked at. */
const PACE_MS = 10_000

/** How long the line is, how long it takes, and whom it refused. */
export class LineFigures {
  readonly #waits
  readonly #refusals
  #since = performance.now()
  #ended = 0
  #perSecond = 0

  constructor(metrics: Metrics, waiting: (of: Class) => number) {
    const gauge = metrics.gauge('llmagentos_llm_waiting', 'Requests that wait for a worker', ['class'])
    // Read when asked for, so that a figure cannot drift from what it counts.
    Object.assign(gauge, {
      collect() {
        gauge.set({ class: 'interactive' }, waiting('interactive'))
        gauge.set({ class: 'task' }, waiting('task'))
      },
    })
    this.#waits = metrics.histogram(
      'llmagentos_llm_wait_seconds',
      'From its turn for a worker to being sent to one',
      ['class'],
    )
    this.#refusals = metrics.counter('llmagentos_llm_refused_total', 'Requests that no worker had room for', [
      'why',
    ])
  }

  sent(of: Class, waitedMs: number): void {
    this.#waits.observe({ class: of }, waitedMs / 1000)
  }

  refused(why: 'full' | 'waited'): void {
    this.#refusals.inc({ why })
  }

  ended(): void {
    this.#ended++
    this.#pace()
  }

  /** How long so many ahead will take at the pace of the last seconds. */
  seconds(ahead: number): number {
    this.#pace()
    if (this.#perSecond === 0) return MOST_SECONDS / 2
    return Math.min(MOST_SECONDS, Math.max(1, Math.ceil(ahead / this.#perSecond)))
  }

  #pace(): void {
    const ms = performance.now() - this.#since
    if (ms < PACE_MS && this.#perSecond > 0) return
    if (ms < 100) return
    this.#perSecond = (this.#ended * 1000) / ms
    this.#ended = 0
    this.#since = performance.now()
  }
}
