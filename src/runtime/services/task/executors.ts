import { EXECUTOR_BEAT_MS, type TaskClass } from '../../../contracts/tasks.ts'
import { type Attempt, attemptText } from '../../tasks/names.ts'

/** Past so long without a beat an executor's slots do not count, and its attempts are silent. Milliseconds. */
export const SILENT_MS = 6 * EXECUTOR_BEAT_MS

export interface Beat {
  executor: string
  boot: string
  slots: Record<string, number>
  running: Attempt[]
}

/** What executors said of themselves, on this machine's monotonic clock. */
export class Executors {
  readonly #last = new Map<string, { at: number; slots: Record<string, number> }>()
  readonly #seen = new Map<string, number>()
  readonly #now: () => number

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  beat(b: Beat): void {
    const at = this.#now()
    this.#last.set(`${b.executor} ${b.boot}`, { at, slots: b.slots })
    for (const a of b.running) this.#seen.set(attemptText(a), at)
    for (const [key, l] of this.#last) if (at - l.at > SILENT_MS) this.#last.delete(key)
    for (const [key, t] of this.#seen) if (at - t > 4 * SILENT_MS) this.#seen.delete(key)
  }

  slots(c: TaskClass): number {
    const now = this.#now()
    let sum = 0
    for (const l of this.#last.values()) if (now - l.at <= SILENT_MS) sum += l.slots[c] ?? 0
    return sum
  }

  /** When an attempt was last reported; undefined: never, as far as this process knows. */
  lastSeen(attempt: Attempt): number | undefined {
    return this.#seen.get(attemptText(attempt))
  }
}
