import { expect, test } from 'vitest'
import { ownHop } from '../../../src/runtime/hop.ts'
import { Fence, placeOf } from '../../../src/runtime/tasks/fence.ts'
import { unfinished } from '../../../src/runtime/tasks/limits.ts'
import { endPrefix, queuedName, readRun } from '../../../src/runtime/tasks/names.ts'
import {
  type ClaimRecord,
  type EndRecord,
  isFinal,
  parsed,
  type TaskRecord,
} from '../../../src/runtime/tasks/records.ts'
import { MemoryRecords, seeded } from '../../helpers/memory-records.ts'
import { taskRecord } from '../../helpers/task-record.ts'

const SEEDS = Number(process.env['WALK_SEEDS'] ?? 1500)
const FIRST = Number(process.env['WALK_FIRST'] ?? 1)
const STEPS = 250
const hop = ownHop(3_600_000)

test(`no order of steps and crashes gives a task two final ends, and every one reaches one (${SEEDS} seeds)`, async () => {
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    await walk(seed).catch(thrown => {
      throw new Error(`seed ${seed} (WALK_FIRST=${seed} WALK_SEEDS=1): ${thrown.message}`, { cause: thrown })
    })
  }
}, 120_000)

/** Executors, reapers, cancellers and movers over one task; each of their operations happens when the seed says so, or never. */
async function walk(seed: number): Promise<void> {
  const random = seeded(seed)
  const world = new World(random)
  const crashes = 1 + Math.floor(random() * 6)
  for (let step = 0, crashed = 0; step < STEPS; step++) {
    if (world.waiting.length < 4)
      world.start(pick(random, ['executor', 'executor', 'reaper', 'canceller', 'mover']))
    await settle()
    if (world.waiting.length === 0) continue
    const at = Math.floor(random() * world.waiting.length)
    const [op] = world.waiting.splice(at, 1)
    if (crashed < crashes && random() < 0.05) {
      crashed++
      op!.die(pick(random, ['undone', 'done', 'reported']))
    } else op!.go()
    await settle()
    world.check()
  }
  world.waiting.length = 0
  await world.finish()
}

interface Pending {
  go(): void
  die(how: 'undone' | 'done' | 'reported'): void
}

class World {
  readonly waiting: Pending[] = []
  readonly #store = new MemoryRecords()
  readonly #task = taskRecord()
  readonly #random: () => number
  /** Every queued name there ever was: a message may come late and twice. */
  readonly #hints = new Set<string>()
  #cancels = 0
  #gated = true

  constructor(random: () => number) {
    this.#random = random
    this.#store.stored.set(queuedName(this.#task), Buffer.from(JSON.stringify(this.#task)))
    this.#hints.add(queuedName(this.#task))
  }

  start(role: string): void {
    const fence = new Fence(this.#actorsView())
    const act = { executor: this.#execute, reaper: this.#reap, canceller: this.#cancel, mover: this.#move }[
      role
    ]!
    void act.call(this, fence).catch((thrown: Error) => {
      if (thrown.message !== 'reported as failed') this.#broken = thrown
    })
  }
  #broken?: Error

  /** An operation waits until the walk lets it happen; a dead actor's promise stays open for ever. */
  #actorsView(): MemoryRecords {
    const view = new MemoryRecords()
    const gate = <T>(apply: () => Promise<T>): Promise<T> => {
      if (!this.#gated) return apply()
      return new Promise((resolve, reject) => {
        this.waiting.push({
          go: () => void apply().then(resolve, reject),
          die: how => {
            if (how === 'undone') return
            void apply().then(() => how === 'reported' && reject(new Error('reported as failed')))
          },
        })
      })
    }
    const store = this.#store
    view.create = (name, record) => gate(() => store.create(name, record))
    view.get = name => gate(() => store.get(name))
    view.list = (prefix, o) => gate(() => store.list(prefix, o))
    view.delete = name => gate(() => store.delete(name))
    return view
  }

  async #execute(fence: Fence): Promise<void> {
    const claimed = await fence.claim(pick(this.#random, [...this.#hints]), { executor: 'x', boot: 'b' }, hop)
    if (claimed.is !== 'claimed') return
    const { task } = claimed
    for (let n = 1; n < task.attempt; n++) {
      const before = this.#end(n)
      if (!before || isFinal(before.outcome))
        throw new Error(`attempt ${task.attempt} runs after ${n}: ${before?.outcome}`)
    }
    await fence.end(task, this.#outcome(task), hop)
    const claim: ClaimRecord = { executor: 'x', boot: 'b', user: task.user, priority: task.priority }
    await fence.complete(task, claim, hop)
  }

  async #reap(fence: Fence): Promise<void> {
    for (const name of this.#store.names('run/')) {
      const attempt = readRun(name)!
      const value = this.#store.stored.get(name)
      if (!value) continue
      const claim = parsed<ClaimRecord>(value)
      if (!(await fence.ended(attempt, hop))) {
        const task = await fence.record(attempt, claim, hop)
        if (task)
          await fence.end(attempt, unfinished(task, { counts: 'lost', reason: 'silent', now: 1 }), hop)
      }
      await fence.complete(attempt, claim, hop)
    }
  }

  async #cancel(fence: Fence): Promise<void> {
    if (this.#cancels++ > 1) return
    for (const name of [...this.#store.names('q/'), ...this.#store.names('w/')]) {
      const value = this.#store.stored.get(name)
      if (!value) continue
      const end: EndRecord = { outcome: 'cancelled', at: 1 }
      const by = { executor: '', boot: '' }
      await fence.stop(parsed<TaskRecord>(value), { by, waiting: name.startsWith('w/'), end }, hop)
    }
  }

  async #move(fence: Fence): Promise<void> {
    for (const name of this.#store.names('w/')) await fence.due(name, hop)
  }

  #outcome(task: TaskRecord): EndRecord {
    const r = this.#random()
    if (r < 0.3) return { outcome: 'done', at: 1, result: {} }
    if (r < 0.4) return { outcome: 'failed', at: 1, reason: 'no' }
    return unfinished(task, { counts: r < 0.7 ? 'crashed' : 'errors', reason: 'SIGKILL', now: 1 })
  }

  #end(n: number): EndRecord | undefined {
    const found = this.#store.stored.get(endPrefix(this.#task.id) + n)
    return found && parsed<EndRecord>(found)
  }

  check(): void {
    if (this.#broken) throw this.#broken
    for (const name of this.#store.names('q/')) this.#hints.add(name)
    const ends = this.#store.names('x/').map(n => parsed<EndRecord>(this.#store.stored.get(n)!))
    const last = this.#store.names('x/').length
    expect(ends.filter(e => isFinal(e.outcome)).length).toBeLessThanOrEqual(1)
    const final = Array.from({ length: last }, (_, i) => i + 1).find(n =>
      isFinal(this.#end(n)?.outcome ?? 'lost'),
    )
    if (final) expect(this.#end(final + 1), 'nothing ends after the final end').toBeUndefined()
    const history = this.#store.names('h/')
    expect(history.length).toBeLessThanOrEqual(1)
    if (history[0]) expect(history[0].endsWith(`.${this.#end(final!)!.outcome}`)).toBe(true)
  }

  /** From here nobody dies: what the live services do in turn must end the task and clear its records. */
  async finish(): Promise<void> {
    this.#gated = false
    const fence = new Fence(this.#store)
    for (let round = 0; round < 40; round++) {
      await this.#move(fence)
      await this.#reap(fence)
      for (const name of this.#store.names('q/')) {
        expect(placeOf(name)).toBeDefined()
        this.#hints.clear()
        this.#hints.add(name)
        await this.#execute(fence)
      }
      this.check()
      if (
        !this.#store.names('q/').length &&
        !this.#store.names('run/').length &&
        !this.#store.names('w/').length
      )
        break
    }
    expect(this.#store.names().map(n => n.slice(0, 2))).not.toContain('q/')
    expect([...this.#store.names('run/'), ...this.#store.names('w/')]).toEqual([])
    expect(this.#store.names('h/').length).toBe(1)
  }
}

const pick = <T>(random: () => number, from: T[]): T => from[Math.floor(random() * from.length)]!
const settle = () => new Promise<void>(resolve => setImmediate(resolve))
