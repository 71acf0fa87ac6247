import { setTimeout as sleep } from 'node:timers/promises'
import type { EmbedAnswer } from '../../../contracts/ask.ts'
import type { WorkerConfig } from '../../../contracts/config.ts'
import type { Model, PullFrame } from '../../../contracts/models.ts'
import { knownHoles } from '../../../contracts/ollama-holes.ts'
import type { Manifest } from '../../../contracts/worker.ts'
import type { Log } from '../../../log.ts'
import { Refusal } from '../../refusal.ts'
import type { Backend, EmbedTexts } from './backends/backend.ts'
import { EXTRACTIVE, Extractive } from './backends/extractive.ts'
import { hung, unreachable } from './backends/ollama/failures.ts'
import { OllamaBackend } from './backends/ollama/index.ts'
import type { Sourced } from './backends/ollama/pulls.ts'
import { Shelf } from './backends/ollama/shelf.ts'
import { isLoopback, note, whyNoModel } from './engine-notes.ts'
import { findOllama, KeptOllama } from './ollama-process.ts'

/** Often enough that a new model or a lost Ollama is noticed before somebody wonders. */
const PROBE_MS = 2_000
/** One slow or broken answer is no death; a refused connection is. */
const FAILURES_TO_DEATH = 3

export interface EngineOptions {
  config: WorkerConfig
  log: Log
  changed(): void
  /** Ollama takes requests and answers none: what it was asked is not worth waiting for. */
  hangs?: (why: Refusal) => void
  probeMs?: number
  /** How long an answer to a probe may take. */
  patienceMs?: number
}

export interface Current {
  engine: Backend['name']
  /** '' when there is none. */
  defaultModel: string
  note?: string
  /** What keeps this worker from serving. */
  missing: string[]
}

/**
 * The engines of one worker, and which of them answers whoever names no model: Ollama while it answers and has a model that makes text,
 * else (when `backend` is auto) the extractive one. It looks again every few seconds, so no restart is needed; an answer that runs stays
 * with the engine it began on.
 */
export class Engines {
  /** The models of its Ollama on disk. */
  readonly shelf: Shelf
  readonly #o: EngineOptions
  readonly #extractive: Extractive
  readonly #ollama: OllamaBackend | undefined
  readonly #closing = new AbortController()
  #loop: Promise<void> = Promise.resolve()
  #up = false
  #failures = 0
  #version: string | undefined
  #own: KeptOllama | undefined
  #lookNow = () => {}

  constructor(o: EngineOptions) {
    this.#o = o
    const { name, backend, ollama } = o.config
    this.shelf = new Shelf(ollama.models)
    this.#extractive = new Extractive({ worker: name })
    if (backend !== 'extractive')
      this.#ollama = new OllamaBackend({
        url: ollama.url,
        model: ollama.model,
        worker: name,
        shelf: this.shelf,
        changed: () => o.changed(),
      })
  }

  /** Looks once, then goes on looking until `close()`. */
  async open(): Promise<void> {
    if (!this.#ollama) return
    const { config, log } = this.#o
    const { url, startedElsewhere } = config.ollama
    const binary = isLoopback(url) && !startedElsewhere ? await findOllama() : undefined
    if (binary)
      this.#own = new KeptOllama({
        binary,
        url: config.ollama.url,
        slots: config.slots,
        log,
        onEnd: () => this.#lookNow(),
      })
    await this.#probe(this.#ollama)
    this.#loop = this.#keepLooking(this.#ollama)
  }

  current(): Current {
    const model = this.#up ? this.#ollama?.defaultModel() : undefined
    if (model)
      return { engine: 'ollama', defaultModel: model, missing: [], ...note(this.#holes(), this.#absent()) }
    if (this.#o.config.backend === 'ollama') {
      const why = this.#why()
      return { engine: 'ollama', defaultModel: '', missing: this.#up ? [] : [why], ...note(why) }
    }
    return {
      engine: EXTRACTIVE,
      defaultModel: EXTRACTIVE,
      missing: [],
      ...note(this.#ollama && this.#why(), this.#holes()),
    }
  }

  models(): Model[] {
    return [...(this.#up ? (this.#ollama?.models() ?? []) : []), ...this.#extractive.models()]
  }

  /** An Ollama answers, so there can be models. */
  get holds(): boolean {
    return this.#up
  }

  /** How often models came into memory and left it. */
  get moves(): { loads: number; evictions: number } {
    return this.#ollama?.moves ?? { loads: 0, evictions: 0 }
  }

  /** Throws 404 for a model that this worker does not have, 503 when it may have it but Ollama is away. */
  forModel(model: string): Backend {
    if (model === EXTRACTIVE) return this.#extractive
    if (this.#ollama?.has(model)) {
      if (this.#up) return this.#ollama
      throw unreachable(this.#ollama.url)
    }
    throw new Refusal(
      404,
      'no_model',
      model ? `This worker has no model ${model}.` : 'This worker has no model.',
      {
        next: this.#up
          ? `Download it: \`llmagentos model pull ${model || 'NAME'}\`.`
          : `${this.#why()} \`llmagentos model list\` says what there is.`,
      },
    )
  }

  async embed(request: EmbedTexts, o: { signal: AbortSignal }): Promise<EmbedAnswer> {
    if (request.model === EXTRACTIVE)
      throw new Refusal(400, 'no_vectors', 'The extractive engine makes no vectors.', {
        next: 'Download an embedding model: `llmagentos model pull nomic-embed-text`.',
      })
    const backend = this.forModel(request.model)
    return backend.embed!(request, o)
  }

  async *pull(name: string, o: { signal: AbortSignal; source?: Sourced }): AsyncGenerator<PullFrame> {
    yield* this.#answering().pull(name, o)
  }

  /** The manifest of a model that Ollama has here. Throws 404, and 503 while Ollama is away. */
  manifest(name: string): Promise<Manifest> {
    this.forModel(name)
    return this.shelf.manifest(this.#answering().find(name)!)
  }

  async removeModel(name: string, o: { signal: AbortSignal }): Promise<void> {
    if (name === EXTRACTIVE)
      throw new Refusal(400, 'built_in', 'The extractive engine is built in and cannot be removed.')
    await this.#answering().removeModel(name, o)
    this.#o.changed()
  }

  /** Something failed at Ollama: looks at once instead of with the next turn. */
  suspect(thrown: unknown): void {
    if (thrown instanceof Refusal && (thrown.code === 'no_ollama' || thrown.code === 'cut')) this.#lookNow()
  }

  async close(): Promise<void> {
    this.#closing.abort()
    this.#lookNow()
    await this.#loop
    await this.#own?.stop()
    await this.#ollama?.close()
  }

  #answering(): OllamaBackend {
    if (this.#up && this.#ollama) return this.#ollama
    throw new Refusal(404, 'no_engine', 'No Ollama runs here that could hold models.', { next: this.#why() })
  }

  async #keepLooking(ollama: OllamaBackend): Promise<void> {
    const every = this.#o.probeMs ?? PROBE_MS
    while (!this.#closing.signal.aborted) {
      const pause = new AbortController()
      this.#lookNow = () => pause.abort()
      await sleep(every, undefined, { signal: pause.signal }).catch(() => {})
      if (!this.#closing.signal.aborted) await this.#probe(ollama)
    }
  }

  async #probe(ollama: OllamaBackend): Promise<void> {
    const before = JSON.stringify(this.current())
    let models = false
    try {
      models = await ollama.refresh(this.#o.patienceMs)
      if (!this.#up) this.#version = await ollama.version()
      this.#up = true
      this.#failures = 0
      this.#own?.answered()
    } catch (thrown) {
      const refused = thrown instanceof Refusal && thrown.code === 'no_ollama'
      if (refused) this.#up = false
      else if (++this.#failures >= FAILURES_TO_DEATH) await this.#judgeSilence(ollama)
      if (!this.#up) this.#own?.launch()
    }
    const after = JSON.stringify(this.current())
    if (before !== after) this.#o.log.info(this.current(), 'the engine changed')
    if (models || before !== after) this.#o.changed()
  }

  /** Its lists may wait for a model that is being loaded; its version waits for nothing. */
  async #judgeSilence(ollama: OllamaBackend): Promise<void> {
    const version = await ollama.version(this.#o.patienceMs).catch(() => undefined)
    if (version !== undefined || this.#closing.signal.aborted) return
    this.#up = false
    this.#o.hangs?.(hung(ollama.url))
    this.#own?.kill()
  }

  #why(): string {
    return whyNoModel(this.#o.config, { up: this.#up, own: this.#own })
  }

  #absent(): string | undefined {
    const { model } = this.#o.config.ollama
    if (!model || this.#ollama?.has(model)) return undefined
    return `Ollama has no model ${model}: \`llmagentos cluster up --model ${model}\` downloads it.`
  }

  #holes(): string | undefined {
    return this.#up && this.#version ? knownHoles(this.#version) : undefined
  }
}

export async function openEngines(o: EngineOptions): Promise<Engines> {
  const engines = new Engines(o)
  await engines.open()
  return engines
}
