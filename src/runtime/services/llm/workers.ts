import { setTimeout as sleep } from 'node:timers/promises'
import { anySignal } from '../../../any-signal.ts'
import { ANSWER_DEADLINE_MS } from '../../../contracts/hop.ts'
import { type WorkerState, workerState } from '../../../contracts/worker.ts'
import { reasonOf } from '../../../errors.ts'
import type { Log } from '../../../log.ts'
import { ownHop } from '../../hop.ts'
import { Refusal } from '../../refusal.ts'
import type { Calls, Peer } from '../../transport.ts'
import type { Room } from './line.ts'
import type { Class } from './ticket.ts'

/** A worker that could answer, as last heard of. */
export interface Candidate {
  name: string
  engine: string
  model: string
  contextTokens?: number
  loaded: boolean
  peer: Peer
}

interface Known {
  peer: Peer
  state?: WorkerState
  why: string
  /** Ours, sent and not yet ended. */
  open: Record<Class, number>
  /** It refused one because its line was full, so others use it too; asked again from then on. */
  fullUntil: number
}

/** A worker that was full is asked again after so long, or when it says that something changed. */
const FULL_MS = 100
/** A worker's stream of state is opened anew before the deadline that every call has, so that none ends for its age alone. */
const FOLLOW_MS = ANSWER_DEADLINE_MS / 2
/** Until one that ended is followed again. */
const AGAIN_MS = 200

/** What llm knows of its workers: a stream of state from each, and its own requests on top. */
export class Workers implements Room {
  /** A worker changed in a way that may matter to who waits. */
  changed: () => void = () => {}
  readonly #known: Known[]
  readonly #calls: Calls
  readonly #log: Log
  readonly #followMs: number
  readonly #stopped = new AbortController()
  #following: Promise<unknown> = Promise.resolve()
  #requests = 0
  #retries = 0

  constructor(o: { calls: Calls; log: Log; followMs?: number }) {
    this.#calls = o.calls
    this.#log = o.log
    this.#followMs = o.followMs ?? FOLLOW_MS
    this.#known = o.calls.peers('worker').map(peer => ({
      peer,
      why: 'it has not answered yet',
      open: { interactive: 0, task: 0 },
      fullUntil: 0,
    }))
  }

  start(): void {
    this.#following = Promise.all(this.#known.map(k => this.#follow(k)))
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#following
  }

  states(): { state: WorkerState; peer: Peer }[] {
    return this.#known.flatMap(k => (k.state ? [{ state: k.state, peer: k.peer }] : []))
  }

  /** The workers that have the model; without a name the default of the first worker, a model that reads before one that quotes. */
  candidates(wanted?: string): { model: string; candidates: Candidate[] } {
    const up = this.states()
    if (up.length === 0) {
      throw new Refusal(503, 'no_worker', 'No worker answers.', {
        next: 'See `llmagentos cluster status`.',
        retryAfterSeconds: 2,
        nothingBegun: true,
      })
    }
    const model = wanted ?? this.defaultModel()
    const candidates = up.flatMap(({ state, peer }) => {
      const found = state.models.find(m => sameModel(m.name, model))
      if (!found) return []
      return [
        {
          name: state.name,
          engine: found.engine,
          model: found.name,
          contextTokens: found.contextTokens,
          loaded: found.loaded,
          peer,
        },
      ]
    })
    if (candidates.length === 0) {
      throw new Refusal(404, 'no_model', `No worker has the model ${model}.`, {
        next: `Pull it with \`llmagentos model pull ${model}\`, or see \`llmagentos model list\`.`,
      })
    }
    return { model: candidates[0]!.model, candidates }
  }

  defaultModel(): string {
    const states = this.states().map(s => s.state)
    return (states.find(s => s.engine !== 'extractive') ?? states[0])?.defaultModel ?? 'extractive'
  }

  /** The least busy, one with the model loaded first. */
  choose(candidates: Candidate[]): Candidate {
    return candidates.toSorted(
      (a, b) => Number(b.loaded) - Number(a.loaded) || this.#load(a) - this.#load(b),
    )[0]!
  }

  any(of: Class): boolean {
    return this.#known.some(k => this.#takes(k, of))
  }

  free(candidates: Candidate[], of: Class): Candidate | undefined {
    const free = candidates.filter(c => {
      const known = this.#of(c)
      return known && this.#takes(known, of)
    })
    return free.length > 1 ? this.choose(free) : free[0]
  }

  isUp(candidates: Candidate[]): boolean {
    return candidates.some(c => this.#of(c)?.state)
  }

  capacity(): number {
    return this.states().reduce((n, { state }) => n + 2 * state.slots, 0)
  }

  queuedAt(candidates: Candidate[]): number {
    return candidates.reduce((n, c) => {
      const known = this.#of(c)
      return n + (known?.state ? Math.max(0, openAt(known) - known.state.slots) : 0)
    }, 0)
  }

  /** Its line was full although we had not filled it. */
  full(worker: Candidate): void {
    const known = this.#of(worker)
    if (!known) return
    known.fullUntil = performance.now() + FULL_MS
    setTimeout(() => this.changed(), FULL_MS).unref()
  }

  mayRetry(candidates: Candidate[], tried: Candidate[]): boolean {
    const allowed = tried.length < candidates.length && this.#retries < 1 + this.#requests / 10
    if (allowed) this.#retries += 1
    return allowed
  }

  asked(): void {
    this.#requests += 1
  }

  /** Counts a request on its worker until the returned function is called. */
  sent(to: Candidate, of: Class): () => void {
    const known = this.#of(to)
    if (known) known.open[of] += 1
    return () => {
      if (known) known.open[of] -= 1
    }
  }

  missing(): string[] {
    return this.#known.some(k => k.state) ? [] : this.#known.map(k => `worker: ${k.why}`)
  }

  facts(): Record<string, string> {
    const first = this.states().find(s => s.state.defaultModel === this.defaultModel())
    return first ? { engine: first.state.engine, model: first.state.defaultModel } : {}
  }

  notes(): string[] {
    return this.#known.flatMap(k => (k.state?.note ? [k.state.note] : []))
  }

  /**
   * A worker queues as many as it has slots; the rest waits here. Tasks wait here alone, and leave one of several slots free. What other
   * callers do there is learnt from its refusals: its own figures are a moment old.
   */
  #takes(known: Known, of: Class): boolean {
    if (!known.state || performance.now() < known.fullUntil) return false
    const { slots } = known.state
    if (of === 'task' && known.open.task >= Math.max(1, slots - 1)) return false
    return openAt(known) < 2 * slots
  }

  #load(c: Candidate): number {
    const known = this.#of(c)
    const state = known?.state
    return state
      ? Math.max(openAt(known), state.running + state.queued) / state.slots
      : Number.POSITIVE_INFINITY
  }

  #of(c: Candidate): Known | undefined {
    return this.#known.find(k => k.peer === c.peer)
  }

  async #follow(known: Known): Promise<void> {
    const stopped = this.#stopped.signal
    while (!stopped.aborted) {
      const aged = AbortSignal.timeout(this.#followMs)
      try {
        await this.#listen(known, anySignal([stopped, aged]))
      } catch (thrown) {
        if (stopped.aborted) return
        // It is as it was a moment ago, unless the next stream says otherwise.
        if (aged.aborted) continue
        if (known.state)
          this.#log.warn({ worker: known.state.name, why: reasonOf(thrown) }, 'worker is silent')
        known.why = reasonOf(thrown)
        known.state = undefined
      }
      await sleep(AGAIN_MS, undefined, { signal: stopped }).catch(() => {})
    }
  }

  async #listen(known: Known, signal: AbortSignal): Promise<void> {
    const hop = ownHop(ANSWER_DEADLINE_MS, signal)
    for await (const line of this.#calls.lines<WorkerState | { type: 'beat' }>(workerState, hop, {
      peer: known.peer,
    })) {
      if ('type' in line) continue
      known.state = line
      this.changed()
    }
  }
}

const openAt = ({ open }: Known) => open.interactive + open.task

/** Ollama takes a name without a tag for `:latest`. */
export const sameModel = (has: string, wanted: string) => has === wanted || has === `${wanted}:latest`
