import { Child, type ChildOptions } from './child-process.ts'

/** A warm child without work is retired after so long, so that an idle machine keeps its memory. */
const IDLE_MS = 60_000

/** Children by need: an idle one is used again, a crashed one is replaced. How many there are is bounded by the slots that ask. */
export class Children {
  readonly #o: ChildOptions & { idleMs?: number }
  readonly #idle: { child: Child; timer: NodeJS.Timeout }[] = []
  readonly #all = new Set<Child>()
  #stopped = false

  constructor(o: ChildOptions & { idleMs?: number }) {
    this.#o = o
  }

  async take(): Promise<Child> {
    for (let warm = this.#idle.pop(); warm; warm = this.#idle.pop()) {
      clearTimeout(warm.timer)
      if (!warm.child.dead) return warm.child
      this.#all.delete(warm.child)
    }
    const child = await Child.start(this.#o)
    if (this.#stopped) {
      child.kill()
      throw new Error('the executor was stopped')
    }
    this.#all.add(child)
    return child
  }

  give(child: Child): void {
    if (child.dead) return void this.#all.delete(child)
    const timer = setTimeout(() => this.#retire(child), this.#o.idleMs ?? IDLE_MS).unref()
    this.#idle.push({ child, timer })
  }

  /** Ends all of them, running or not. */
  stop(): void {
    this.#stopped = true
    for (const { timer } of this.#idle) clearTimeout(timer)
    for (const child of this.#all) child.kill()
    this.#all.clear()
  }

  get pids(): number[] {
    return [...this.#all].flatMap(c => (c.dead || c.pid === undefined ? [] : [c.pid]))
  }

  #retire(child: Child): void {
    const at = this.#idle.findIndex(i => i.child === child)
    if (at >= 0) this.#idle.splice(at, 1)
    this.#all.delete(child)
    child.kill()
  }
}
