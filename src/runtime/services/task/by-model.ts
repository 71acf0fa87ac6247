import { anySignal } from '../../../any-signal.ts'
import { ask } from '../../../contracts/ask.ts'
import { exchangeTask } from '../../../contracts/auth.ts'
import type { Principal } from '../../../contracts/identity.ts'
import { listModels } from '../../../contracts/models.ts'
import type { Understood } from '../../../contracts/tasks.ts'
import type { Hop } from '../../hop.ts'
import { wrongWith } from '../../kinds/check.ts'
import type { Kind } from '../../kinds/kind.ts'
import type { Parts } from './parts.ts'

/** Longest time that a submit waits for a model to read its words. */
const READ_MS = 10_000
/** Words past this are the matter of a task, not the order. */
const READ_CHARS = 4_000
/** How long it is believed that there is, or is not, a model that can read. */
const BELIEVE_MS = 30_000

type Read = Pick<Understood, 'kind' | 'params'>

/** Reads plain words with a language model, where one is there; undefined whenever that did not work out, and rules read them then. */
export class ModelReader {
  readonly #o: Parts
  #known = { until: 0, model: undefined as string | undefined }

  constructor(o: Parts) {
    this.#o = o
  }

  async read(text: string, who: Principal, hop: Hop): Promise<Read | undefined> {
    if (!who.scopes.includes('ask') || text.length > READ_CHARS) return undefined
    const signal = anySignal([hop.signal, AbortSignal.timeout(READ_MS)])
    // In our own name: the token that came with the request is for this service alone.
    const deadline = Math.min(hop.deadline, Date.now() + READ_MS)
    const bounded: Hop = { ...hop, signal, deadline, token: undefined }
    try {
      const { token } = await this.#o.calls.call(exchangeTask, bounded, {
        body: { task: 'parse', attempt: 0, user: who.user, key: who.key, scopes: who.scopes },
      })
      const asUser = { ...bounded, token }
      const model = await this.#model(who, asUser)
      return model ? await this.#ask(text, model, asUser) : undefined
    } catch (thrown) {
      hop.signal.throwIfAborted()
      this.#o.log.debug({ err: thrown }, 'no model read the words of a task; rules do')
      return undefined
    }
  }

  /** A model that writes: the default one if it does and the key may use it. */
  async #model(who: Principal, hop: Hop): Promise<string | undefined> {
    if (!who.scopes.includes('models:read')) return undefined
    if (performance.now() >= this.#known.until) {
      const { models, default: first } = await this.#o.calls.call(listModels, hop)
      const writes = models.filter(m => m.engine !== 'extractive' && !m.embeds)
      const model = writes.find(m => m.name === first) ?? writes.find(m => m.loaded)
      this.#known = { until: performance.now() + BELIEVE_MS, model: model?.name }
    }
    const { model } = this.#known
    return model && (!who.models || who.models.includes(model)) ? model : undefined
  }

  async #ask(text: string, model: string, hop: Hop): Promise<Read | undefined> {
    const kinds = [...this.#o.kinds.values()]
    const { answer } = await this.#o.calls.call(ask, hop, {
      body: {
        messages: [
          { role: 'system', content: prompt(kinds) },
          { role: 'user', content: text },
        ],
        kb: [],
        model,
        sampling: { temperature: 0, maxTokens: 600, format: schema(kinds) },
      },
    })
    const read = JSON.parse(answer) as Read
    const kind = this.#o.kinds.get(read.kind)
    return kind && !wrongWith(kind, read.params) ? { kind: read.kind, params: read.params } : undefined
  }
}

function prompt(kinds: Kind[]): string {
  const lines = kinds.map(k => {
    const examples = k.examples.map(
      e => `  "${e.text}" -> ${JSON.stringify({ kind: k.name, params: e.params })}`,
    )
    return [`- ${k.name}: ${k.summary}`, ...examples].join('\n')
  })
  return [
    'Turn the order of the user into one task. Answer with JSON {"kind", "params"} and nothing else. Take texts over word for word.',
    'Kinds:',
    ...lines,
  ].join('\n')
}

const schema = (kinds: Kind[]) => ({
  anyOf: kinds.map(k => ({
    type: 'object',
    properties: { kind: { const: k.name }, params: k.params },
    required: ['kind', 'params'],
    additionalProperties: false,
  })),
})
