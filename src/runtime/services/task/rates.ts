import type { TaskClass } from '../../../contracts/tasks.ts'
import type { TaskRecord } from '../../tasks/records.ts'

/** Weight of the newest measurement in a moving average. */
const NEWEST = 0.2
const FIRST_TOKENS = 300
const FIRST_MS: Record<TaskClass, number> = { llm: 5_000, cpu: 2_000, sandbox: 10_000 }
const CHARS_PER_TOKEN = 4

/** What tasks took so far: predicts tokens by kind and time by class. */
export class Rates {
  readonly #tokens = new Map<string, number>()
  readonly #ms = new Map<TaskClass, number>()

  predict(task: TaskRecord): number {
    const given = Math.ceil(JSON.stringify(task.params).length / CHARS_PER_TOKEN)
    return given + (this.#tokens.get(task.kind) ?? FIRST_TOKENS)
  }

  measured(o: { kind: string; class: TaskClass; tokens: number; ran?: number }): void {
    this.#tokens.set(o.kind, average(this.#tokens.get(o.kind) ?? FIRST_TOKENS, o.tokens))
    if (o.ran !== undefined) this.#ms.set(o.class, average(this.#ms.get(o.class) ?? o.ran, o.ran))
  }

  /** Milliseconds until a slot is free for one that has `ahead` others before it, running ones included. */
  wait(c: TaskClass, ahead: number, slots: number): number {
    const rounds = Math.max(0, Math.ceil((ahead - slots + 1) / Math.max(1, slots)))
    return Math.round(rounds * (this.#ms.get(c) ?? FIRST_MS[c]))
  }
}

const average = (old: number, newest: number) => old + NEWEST * (newest - old)
