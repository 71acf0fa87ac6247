import type { ChatRequest, ChatResponse } from 'ollama/browser'
import type { EmbedAnswer } from '../../../../../contracts/ask.ts'
import type { Model, PullFrame } from '../../../../../contracts/models.ts'
import type { GenerateRequest, WorkerFrame } from '../../../../../contracts/worker.ts'
import type { Ends } from '../../../../cancel.ts'
import { Refusal } from '../../../../refusal.ts'
import type { Backend, EmbedTexts } from '../backend.ts'
import { Catalog } from './catalog.ts'
import { asFailure, failed } from './failures.ts'
import { Pulls, type Sourced } from './pulls.ts'
import type { Shelf } from './shelf.ts'
import { Wire } from './wire.ts'

/** An answer that begins sooner than this says nothing of its state before; and a refusal keeps its HTTP status. */
const QUIET_MS = 200
const LOOK_MS = 1_000
const SHORT_MS = 5_000

/** Text and vectors from one Ollama. */
export class OllamaBackend implements Backend {
  readonly name = 'ollama'
  readonly #wire: Wire
  readonly #catalog: Catalog
  readonly #pulls: Pulls
  readonly #wanted?: string
  #chosen: string | undefined

  constructor(o: { url: string; worker: string; model?: string; shelf: Shelf; changed(): void }) {
    this.#wire = new Wire(o.url)
    this.#catalog = new Catalog({ wire: this.#wire, worker: o.worker })
    this.#wanted = o.model
    this.#pulls = new Pulls({
      wire: this.#wire,
      room: () => o.shelf.freeBytes(),
      done: async () => {
        await this.refresh().catch(() => false)
        o.changed()
      },
    })
  }

  get url(): string {
    return this.#wire.url
  }

  models(): Model[] {
    return this.#catalog.models
  }

  get moves(): Catalog['moves'] {
    return this.#catalog.moves
  }

  has(model: string): boolean {
    return this.find(model) !== undefined
  }

  /** As Ollama lists it. */
  find(model: string): string | undefined {
    return this.#catalog.find(model)
  }

  /** The configured one; else the newest, and then that one for as long as it is there. */
  defaultModel(): string | undefined {
    const { chat } = this.#catalog
    const wanted = this.#wanted && this.#catalog.find(this.#wanted)
    if (wanted) return wanted
    if (!this.#chosen || !chat.includes(this.#chosen)) this.#chosen = chat[0]
    return this.#chosen
  }

  /** Reads models and version anew; says whether the models changed. Throws when Ollama does not answer. */
  async refresh(deadlineMs = SHORT_MS): Promise<boolean> {
    const changed = await this.#catalog.refresh(AbortSignal.timeout(deadlineMs))
    if (this.#pulls.idle) await this.#forgetCut()
    return changed
  }

  async version(deadlineMs = SHORT_MS): Promise<string> {
    const { version } = await this.#once({ signal: AbortSignal.timeout(deadlineMs) }, o => o.version())
    return version
  }

  async *generate(request: GenerateRequest, o: Ends): AsyncGenerator<WorkerFrame> {
    const answer = this.#wire.chat(chatRequest(request), o)
    try {
      if (!(await within(answer, QUIET_MS))) yield* this.#meanwhile(answer, request.model, o.signal)
      const lines = await answer
      for (let parts = await lines.take(); parts; parts = await lines.take()) {
        const text = parts.map(p => p.message?.content ?? '').join('')
        if (text) yield { type: 'text', text }
        const last = parts.find(p => p.done || p.error !== undefined)
        if (last?.error !== undefined) throw failed(last.error)
        if (last) return yield endFrame(last)
      }
      throw new Refusal(502, 'cut', 'Ollama ended the stream before the answer was complete.')
    } catch (thrown) {
      throw asFailure(this.#wire.explain(thrown, o.signal), o.signal)
    } finally {
      answer.then(
        a => a.leave(),
        () => {},
      )
    }
  }

  async embed(request: EmbedTexts, o: { signal: AbortSignal }): Promise<EmbedAnswer> {
    const answer = await this.#once(o, ollama => ollama.embed({ model: request.model, input: request.input }))
    if (answer.embeddings?.length !== request.input.length)
      throw new Refusal(502, 'engine', `Ollama made no vectors with ${request.model}.`)
    return {
      model: answer.model,
      vectors: answer.embeddings,
      usage: { promptTokens: answer.prompt_eval_count ?? 0, completionTokens: 0 },
    }
  }

  /** Without a source from where its name says. */
  pull(name: string, o: { signal: AbortSignal; source?: Sourced }): AsyncIterable<PullFrame> {
    return this.#pulls.watch(name, o)
  }

  async removeModel(name: string, o: { signal: AbortSignal }): Promise<void> {
    await this.#once(o, ollama => ollama.delete({ model: name }))
    await this.refresh()
  }

  close(): Promise<void> {
    return this.#wire.close()
  }

  async #forgetCut(): Promise<void> {
    for (const model of this.#catalog.cut)
      await this.#once({ signal: AbortSignal.timeout(SHORT_MS) }, o => o.delete({ model })).catch(() => {})
  }

  /** What a caller should see until the answer begins; Ollama itself says nothing while it loads a model or reads a prompt. */
  async *#meanwhile(
    answer: Promise<unknown>,
    model: string,
    signal: AbortSignal,
  ): AsyncGenerator<WorkerFrame> {
    let said: string | undefined
    do {
      const loaded = await this.#catalog.isLoaded(model, signal).catch(() => undefined)
      const state = loaded === false ? 'loading' : 'prefill'
      if (state !== said) yield { type: 'state', state }
      said = state
    } while (!(await within(answer, LOOK_MS)))
  }

  async #once<T>(
    o: { signal: AbortSignal },
    call: (ollama: ReturnType<Wire['open']>['ollama']) => Promise<T>,
  ): Promise<T> {
    const exchange = this.#wire.open(o)
    try {
      const answer = await call(exchange.ollama)
      exchange.finish()
      return answer
    } catch (thrown) {
      throw asFailure(thrown, o.signal)
    } finally {
      exchange.close()
    }
  }
}

/** Whether it has settled so soon, either way. */
function within(what: Promise<unknown>, ms: number): Promise<boolean> {
  return new Promise(resolve => {
    const timer = setTimeout(resolve, ms, false)
    const settled = () => {
      clearTimeout(timer)
      resolve(true)
    }
    what.then(settled, settled)
  })
}

function chatRequest({ model, messages, sampling: s }: GenerateRequest): ChatRequest & { stream: true } {
  return {
    model,
    messages,
    stream: true,
    ...(s.format !== undefined && { format: s.format }),
    options: {
      ...(s.maxTokens !== undefined && { num_predict: s.maxTokens }),
      ...(s.temperature !== undefined && { temperature: s.temperature }),
      ...(s.topP !== undefined && { top_p: s.topP }),
      ...(s.stop?.length && { stop: s.stop }),
      ...(s.seed !== undefined && { seed: s.seed }),
    },
  }
}

const endFrame = (part: ChatResponse): WorkerFrame => ({
  type: 'end',
  finish: part.done_reason === 'length' ? 'length' : 'stop',
  usage: { promptTokens: part.prompt_eval_count ?? 0, completionTokens: part.eval_count ?? 0 },
})
