import { EXIT, Failure, reasonOf } from '../../errors.ts'
import type { Connection, Source } from '../connections/connection.ts'
import { upload } from './artifact.ts'
import { type End, Fenced, runStep } from './attempt.ts'
import { type Holder, lockedBy } from './locked.ts'
import { SWEEP } from './programs/fence.ts'
import type { Step, Wave } from './step.ts'

export interface ApplyOptions {
  connections: Map<string, Connection>
  /** Id of this run: letters, digits, - and _. */
  run: string
  /** `user@host` of the operator. */
  who: string
  /** Of the lock. */
  number: number
  component: string
  /** The bytes of a `place` step's artifact. */
  artifacts?(name: string): Source | Promise<Source>
  /** Who has the lock now, for the words when a node refuses us. */
  holder?(): Promise<Holder | undefined>
  onEvent?(event: StepEvent): void
  /** Ctrl-C, or the lock is lost: what runs ends, nothing new starts. */
  signal?: AbortSignal
}

/** For progress and logs. `cut`: the connection went and the step is looked for again. `at` is this machine's clock, in ms. */
export type StepEvent =
  | { type: 'wave'; component: string; at: number; says: string; nodes: string[] }
  | { type: 'begin'; component: string; at: number; step: Step }
  | { type: 'done'; component: string; at: number; step: Step; ms: number }
  | { type: 'failed'; component: string; at: number; step: Step; code?: number; why: string; stderr: string }
  | { type: 'cut'; component: string; at: number; step: Step; why: string }
  | { type: 'output'; component: string; at: number; step: Step; line: string }

export interface Failed {
  step: Step
  code?: number
  why: string
  stderr: string
}

export interface Applied {
  done: Step[]
  failed: Failed[]
  /** Not started: behind a failure, or the signal came. */
  notRun: Step[]
}

/**
 * Runs waves one after the other, the nodes of one in parallel, the steps of a node in order. A step that fails stops its node for good;
 * the other nodes finish the wave and go on with later ones up to their first step with the risk restart or destroy: such waves take
 * replicas out one by one, and the one that failed may be out already. Throws Failure (7) when a node follows a newer lock.
 */
export async function applyWaves(waves: Wave[], o: ApplyOptions): Promise<Applied> {
  const run = new Run(o)
  try {
    for (const wave of waves) await run.wave(wave)
  } finally {
    await run.sweep()
  }
  return run.applied
}

class Run {
  readonly applied: Applied = { done: [], failed: [], notRun: [] }
  readonly #o: ApplyOptions
  readonly #stopped = new Set<string>()
  readonly #touched = new Set<string>()
  #fenced = false

  constructor(o: ApplyOptions) {
    this.#o = o
  }

  async wave(wave: Wave): Promise<void> {
    const lanes = byNode(wave.steps)
    this.#tell({ type: 'wave', says: wave.says, nodes: [...lanes.keys()] })
    const careful = this.applied.failed.length > 0
    const ends = await Promise.allSettled([...lanes.values()].map(steps => this.#lane(steps, careful)))
    const thrown = ends.flatMap(end => (end.status === 'rejected' ? [end.reason] : []))
    const fenced = thrown.find(reason => reason instanceof Fenced)
    if (fenced) throw await this.#told(fenced)
    if (thrown.length > 0) throw thrown[0]
  }

  /** Outputs and inputs of the last steps need not wait for the next run. */
  async sweep(): Promise<void> {
    const quick = { root: true, deadlineMs: 10_000, signal: AbortSignal.timeout(10_000) }
    const nodes = [...this.#touched].map(node => this.#o.connections.get(node))
    await Promise.allSettled(nodes.map(connection => connection?.exec(['sh', '-c', SWEEP], quick)))
  }

  async #lane(steps: Step[], careful: boolean): Promise<void> {
    for (const [i, step] of steps.entries()) {
      const takesOut = step.risk === 'restart' || step.risk === 'destroy'
      if (careful && takesOut) this.#stopped.add(step.node)
      if (this.#stops(step) || !(await this.#step(step))) {
        this.applied.notRun.push(...steps.slice(i))
        return
      }
    }
  }

  #stops({ node }: Step): boolean {
    return this.#fenced || this.#o.signal?.aborted === true || this.#stopped.has(node)
  }

  /** False when it was not started. */
  async #step(step: Step): Promise<boolean> {
    this.#tell({ type: 'begin', step })
    const end = await this.#attempt(step)
    if (!end) return false
    if (end.ok) {
      this.applied.done.push(step)
      this.#tell({ type: 'done', step, ms: end.ms })
      return true
    }
    const { code, why, stderr } = end
    this.#stopped.add(step.node)
    this.applied.failed.push({ step, code, why, stderr })
    this.#tell({ type: 'failed', step, code, why, stderr })
    return true
  }

  async #attempt(step: Step): Promise<End | undefined> {
    const connection = this.#o.connections.get(step.node)
    if (!connection) throw new Error(`no connection to ${step.node}`)
    try {
      const sha256 = await this.#bring(step, connection)
      // An upload takes its time.
      if (this.#stops(step)) return undefined
      this.#touched.add(step.node)
      return await runStep(connection, step, {
        ...this.#o,
        sha256,
        onCut: why => this.#tell({ type: 'cut', step, why }),
        onOutput: line => this.#tell({ type: 'output', step, line }),
      })
    } catch (thrown) {
      if (thrown instanceof Fenced) this.#fenced = true
      if (!(thrown instanceof Failure) || thrown instanceof Fenced) throw thrown
      if (thrown.exit === EXIT.interrupted) return undefined
      return { ok: false, why: thrown.message, stderr: thrown.why ?? '' }
    }
  }

  async #bring({ act }: Step, connection: Connection): Promise<string | undefined> {
    if (act.do !== 'place') return undefined
    const source = await this.#o.artifacts?.(act.artifact)
    if (!source) throw new Error(`no artifact ${act.artifact}`)
    await upload(connection, source, this.#o)
    return source.sha256
  }

  async #told(fenced: Fenced): Promise<Failure> {
    const holder = await this.#o.holder?.().catch(thrown => void reasonOf(thrown))
    if (!holder) return fenced
    return new Failure(fenced.message, { exit: EXIT.locked, why: lockedBy(holder), next: fenced.next })
  }

  #tell(event: Untimed<StepEvent>): void {
    this.#o.onEvent?.({ ...event, component: this.#o.component, at: Date.now() } as StepEvent)
  }
}

function byNode(steps: Step[]): Map<string, Step[]> {
  const lanes = new Map<string, Step[]>()
  for (const step of steps) lanes.set(step.node, [...(lanes.get(step.node) ?? []), step])
  return lanes
}

type Untimed<E> = E extends unknown ? Omit<E, 'component' | 'at'> : never
