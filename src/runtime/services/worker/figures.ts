import type { WorkerFrame } from '../../../contracts/worker.ts'
import type { Metrics } from '../../metrics.ts'
import { Refusal } from '../../refusal.ts'
import type { Admission } from './admission.ts'
import type { Engines } from './choose-backend.ts'

/** What a worker measures of its own work. */
export class Figures {
  readonly #firstToken
  readonly #whole
  readonly #tokens
  readonly #errors
  #uncounted = { in: 0, out: 0 }

  constructor(metrics: Metrics, { admission, engines }: { admission: Admission; engines: Engines }) {
    this.#tokens = metrics.counter('llmagentos_worker_tokens_total', 'Tokens read and written', ['direction'])
    const running = metrics.gauge('llmagentos_worker_running', 'Requests at the engine')
    const queued = metrics.gauge('llmagentos_worker_queued', 'Requests that wait for the engine')
    // Read when asked for, so that a figure cannot drift from what it counts.
    Object.assign(running, { collect: () => running.set(admission.running) })
    Object.assign(queued, { collect: () => queued.set(admission.queued) })
    Object.assign(this.#tokens, { collect: () => this.#count() })
    this.#firstToken = metrics.histogram(
      'llmagentos_worker_first_token_seconds',
      'From the arrival of a request to its first text, waiting included',
    )
    this.#whole = metrics.histogram(
      'llmagentos_worker_answer_seconds',
      'From the arrival of a request to the end of its answer, waiting included',
    )
    modelFigures(metrics, engines)
    this.#errors = metrics.counter('llmagentos_worker_errors_total', 'Requests that failed', ['code'])
  }

  request(): { frame(f: WorkerFrame): void; failed(thrown: unknown): void } {
    const begin = performance.now()
    let first = true
    return {
      frame: frame => {
        if (frame.type === 'text' && first) {
          first = false
          this.#firstToken.observe((performance.now() - begin) / 1000)
        } else if (frame.type === 'end') {
          this.#uncounted.in += frame.usage.promptTokens
          this.#uncounted.out += frame.usage.completionTokens
          this.#whole.observe((performance.now() - begin) / 1000)
        }
      },
      failed: thrown => this.#errors.inc({ code: thrown instanceof Refusal ? thrown.code : 'internal' }),
    }
  }

  #count(): void {
    this.#tokens.inc({ direction: 'in' }, this.#uncounted.in)
    this.#tokens.inc({ direction: 'out' }, this.#uncounted.out)
    this.#uncounted = { in: 0, out: 0 }
  }
}

/** What the engine holds, which Ollama itself tells nobody who counts. */
function modelFigures(metrics: Metrics, engines: Engines): void {
  for (const [of, says] of [
    ['loads', 'Models that came into memory'],
    ['evictions', 'Models that left memory'],
  ] as const) {
    const counter = metrics.counter(`llmagentos_worker_model_${of}_total`, says)
    let counted = 0
    const collect = () => {
      counter.inc(engines.moves[of] - counted)
      counted = engines.moves[of]
    }
    Object.assign(counter, { collect })
  }
  for (const [of, field, says] of [
    ['memory', 'memoryBytes', 'Memory that a loaded model takes'],
    ['vram', 'vramBytes', 'Memory of graphics cards that a loaded model takes'],
  ] as const) {
    const gauge = metrics.gauge(`llmagentos_worker_model_${of}_bytes`, says, ['model'])
    const collect = () => {
      gauge.reset()
      for (const { name, [field]: bytes } of engines.models())
        if (bytes !== undefined) gauge.set({ model: name }, bytes)
    }
    Object.assign(gauge, { collect })
  }
}
