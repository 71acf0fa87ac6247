import type { AskAnswer, Message, Source, Timings } from '../../../contracts/ask.ts'
import { asRefusal } from '../../server/errors.ts'
import type { Context } from './context.ts'
import type { Worked } from './inference.ts'
import type { Input } from './input.ts'
import type { Asking } from './parts.ts'

/** Stage 5: the answer as a whole, its sources and times; keeps the turn of a session, and one line in the request log. */
export class Response {
  readonly #asking: Asking
  readonly #began = performance.now()
  readonly #at: Partial<Record<'input' | 'context' | 'firstToken' | 'inference' | 'output', number>> = {}
  #input?: Input
  #context?: Context
  #end?: Extract<Worked, { type: 'end' }>
  #text = ''
  #outcome = 'gone'

  constructor(asking: Asking) {
    this.#asking = asking
  }

  reached(stage: 'input', what: Input): void
  reached(stage: 'context', what: Context): void
  reached(stage: 'input' | 'context', what: Input | Context): void {
    this.#at[stage] = performance.now()
    this.#input = what
    if (stage === 'context') this.#context = what as Context
  }

  add(text: string): void {
    this.#at.firstToken ??= performance.now()
    this.#text += text
  }

  ended(end: Extract<Worked, { type: 'end' }>): void {
    this.#at.inference = performance.now()
    this.#end = end
  }

  failed(thrown: unknown): void {
    this.#outcome = asRefusal(thrown).code
  }

  async finish(): Promise<AskAnswer> {
    const end = this.#end!
    const { notes } = this.#context!
    const stored = await this.#keepTurn()
    this.#at.output = performance.now()
    this.#outcome = 'ok'
    return {
      id: this.#asking.hop.requestId,
      answer: this.#text,
      sources: this.sources(),
      engine: end.worker?.engine ?? 'unknown',
      model: end.worker?.model ?? this.#context!.model,
      worker: end.worker?.name ?? 'unknown',
      finish: end.finish,
      usage: end.usage,
      timings: this.#timings(),
      ...(notes.length > 0 && { notes }),
      ...(this.#context!.session && { session: this.#context!.session, stored }),
    }
  }

  /** Those that the text cites; all that the model was given where it cites none. */
  sources(): Source[] {
    const { passages = [] } = this.#context ?? {}
    if (passages.length === 0) return []
    const all = passages.map(({ text: _, ...p }, i) => ({ n: i + 1, ...p }))
    if (!this.#end) return all
    const cited = new Set(
      this.#end.cites ?? [...this.#text.matchAll(/\[(\d{1,2})\]/g)].map(m => Number(m[1])),
    )
    const used = all.filter(s => cited.has(s.n))
    return used.length > 0 || this.#end.cites ? used : all
  }

  log(): void {
    this.#asking.parts.requestLog.write({
      requestId: this.#asking.hop.requestId,
      user: this.#asking.who.user,
      key: this.#asking.who.key,
      model: this.#end?.worker?.model ?? this.#input?.model,
      worker: this.#end?.worker?.name,
      usage: this.#end?.usage,
      timings: this.#timings(),
      outcome: this.#outcome,
    })
  }

  /** The data service keeps of the window what fits. */
  async #keepTurn(): Promise<boolean> {
    const { session, question, window, saw, model } = this.#context!
    if (!session) return true
    const end = this.#end!
    const said: Message[] = [
      { role: 'user', content: question },
      { role: 'assistant', content: this.#text },
    ]
    const turn = {
      saw,
      at: new Date().toISOString(),
      question,
      answer: this.#text,
      sources: this.sources(),
      engine: end.worker?.engine ?? 'unknown',
      model: end.worker?.model ?? model,
      usage: end.usage,
      window: [...window, ...said],
    }
    return this.#asking.parts.turns.keep(session, turn, this.#asking.hop)
  }

  #timings(): Timings {
    const a = this.#at
    const ms = (from: number | undefined, to: number | undefined) =>
      from === undefined || to === undefined ? 0 : Math.round((to - from) * 100) / 100
    return {
      inputMs: ms(this.#began, a.input),
      contextMs: ms(a.input, a.context),
      firstTokenMs: ms(this.#began, a.firstToken),
      inferenceMs: ms(a.context, a.inference),
      outputMs: ms(a.inference, a.output),
      totalMs: ms(this.#began, a.output ?? performance.now()),
    }
  }
}
