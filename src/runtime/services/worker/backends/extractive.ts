import type { Passage, Sampling } from '../../../../contracts/ask.ts'
import type { Model } from '../../../../contracts/models.ts'
import type { GenerateRequest, WorkerFrame } from '../../../../contracts/worker.ts'
import { Refusal } from '../../../refusal.ts'
import type { Backend } from './backend.ts'
import { bestQuotes, isGiven, type Quote } from './quotes.ts'

export const EXTRACTIVE = 'extractive'

/** No model sets a limit; so much text is looked through in a few milliseconds. */
const WINDOW_TOKENS = 131_072

const NOTHING_FOUND =
  'Nothing about this was found in the documents that I was given. Add some with `llmagentos kb add`, or run a language model with ' +
  '`llmagentos cluster up --model NAME`.'

/** Answers without a language model: it quotes the sentences of the passages that fit the question, word for word, and says so. */
export class Extractive implements Backend {
  readonly name = 'extractive'
  readonly #model: Model

  constructor(o: { worker: string }) {
    this.#model = {
      name: EXTRACTIVE,
      engine: EXTRACTIVE,
      workers: [o.worker],
      contextTokens: WINDOW_TOKENS,
      embeds: false,
      loaded: true,
    }
  }

  models(): Model[] {
    return [this.#model]
  }

  defaultModel(): string {
    return EXTRACTIVE
  }

  async *generate(request: GenerateRequest, o: { signal: AbortSignal }): AsyncGenerator<WorkerFrame> {
    if (request.sampling.format !== undefined) throw cannotFormat()
    const question = request.messages.findLast(m => m.role === 'user')?.content ?? ''
    const quotes = bestQuotes(question, request.passages)
    const pieces = [...textsOf(quotes, request.passages)]
    const whole = pieces.join('')
    const { length, finish } = cut(whole, request.sampling)
    let sent = 0
    for (const piece of pieces) {
      o.signal.throwIfAborted()
      if (sent < length) yield { type: 'text', text: piece.slice(0, length - sent) }
      sent += piece.length
    }
    yield {
      type: 'end',
      finish,
      usage: {
        promptTokens: request.messages.reduce((sum, m) => sum + tokensOf(m.content), 0),
        completionTokens: tokensOf(whole.slice(0, length)),
      },
      cites: [...new Set(quotes.map(q => q.n))],
    }
  }
}

function cannotFormat(): Refusal {
  return new Refusal(
    400,
    'no_format',
    'The extractive engine quotes documents and cannot answer as JSON or by a schema.',
    { next: 'Run a language model: `llmagentos cluster up --model NAME`.' },
  )
}

function* textsOf(quotes: Quote[], passages: Passage[]): Generator<string> {
  if (quotes.length === 0) {
    yield NOTHING_FOUND
    return
  }
  const given = quotes.every(q => isGiven(passages[q.n - 1]!))
  yield given ? 'From the text that was given:' : 'From the documentation:'
  for (const { n, text, code } of quotes) {
    yield text ? `\n\n${text} [${n}]` : `\n\n[${n}]`
    if (code) yield `\n\n${'```'}\n${code}\n${'```'}`
  }
}

/** Where an answer ends: before the first stop text, and within `maxTokens`. */
function cut(whole: string, sampling: Sampling): { length: number; finish: 'stop' | 'length' } {
  const stops = (sampling.stop ?? []).filter(Boolean).map(s => whole.indexOf(s))
  const stop = Math.min(whole.length, ...stops.filter(i => i >= 0))
  const room = (sampling.maxTokens ?? Number.POSITIVE_INFINITY) * BYTES_PER_TOKEN
  if (Buffer.byteLength(whole.slice(0, stop)) <= room) return { length: stop, finish: 'stop' }
  const kept = Buffer.from(whole)
    .subarray(0, room)
    .toString('utf8')
    .replace(/\uFFFD$/, '')
  return { length: kept.length, finish: 'length' }
}

/** No model, so no tokenizer: a token is counted for every started 4 bytes of UTF-8, about right for English. */
const tokensOf = (text: string) => Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN)
const BYTES_PER_TOKEN = 4
