import type { ListResponse, ShowResponse } from 'ollama/browser'
import type { Model } from '../../../../../contracts/models.ts'
import { LENT } from './lent.ts'
import type { Wire } from './wire.ts'

/** What Ollama allots when nothing else is said and the machine has little GPU memory: the safe guess for a model that is not loaded. */
const USUAL_CONTEXT = 4096

interface Known {
  embeds: boolean
  chats: boolean
  contextTokens?: number
}
type Tagged = ListResponse['models'][number] & { remote_host?: string; capabilities?: string[] }
interface Loaded {
  name: string
  context_length?: number
  size?: number
  size_vram?: number
}

/** The models of one Ollama, as last read. */
export class Catalog {
  readonly #wire: Wire
  readonly #worker: string
  /** What a digest can do never changes. */
  readonly #known = new Map<string, Known>()
  #models: Model[] = []
  #chat: string[] = []
  #cut: string[] = []
  #memory = new Set<string>()
  readonly #moves = { loads: 0, evictions: 0 }

  constructor(o: { wire: Wire; worker: string }) {
    this.#wire = o.wire
    this.#worker = o.worker
  }

  /** How often a model came into memory and left it since the start. One that does both between two looks is not seen. */
  get moves(): { readonly loads: number; readonly evictions: number } {
    return this.#moves
  }

  /** Newest first. */
  get models(): Model[] {
    return this.#models
  }

  /** Those that make text on this machine; one that Ollama only forwards to its cloud is never chosen for anybody. */
  get chat(): string[] {
    return this.#chat
  }

  /** Names that a model has while it comes from another worker, left by an end in the middle. */
  get cut(): string[] {
    return this.#cut
  }

  /** The full name of a model, as Ollama understands what was asked for: `llama3.2` is `llama3.2:latest`. */
  find(name: string): string | undefined {
    const wanted = fullName(name)
    return this.#models.find(m => fullName(m.name) === wanted)?.name
  }

  /** Reads anew; says whether anything changed. Throws what the wire throws. */
  async refresh(signal: AbortSignal): Promise<boolean> {
    const [tags, loaded] = await Promise.all([
      this.#ask(signal, o => o.list()),
      this.#ask(signal, o => o.ps()),
    ])
    const all = tags.models as Tagged[]
    const tagged = all.filter(t => !LENT.test(t.name))
    this.#cut = all.filter(t => LENT.test(t.name)).map(t => t.name)
    await Promise.all(tagged.map(t => this.#learn(t, signal)))
    const before = JSON.stringify(this.#models)
    const running = new Map((loaded.models as unknown as Loaded[]).map(m => [m.name, m]))
    this.#count([...running.keys()])
    this.#models = tagged.map(t => this.#model(t, running.get(t.name)))
    this.#chat = tagged.filter(t => !t.remote_host && this.#known.get(t.digest)?.chats).map(t => t.name)
    return JSON.stringify(this.#models) !== before
  }

  async isLoaded(name: string, signal: AbortSignal): Promise<boolean> {
    const { models } = await this.#ask(signal, o => o.ps())
    const wanted = fullName(name)
    return models.some(m => fullName(m.name) === wanted)
  }

  #count(loaded: string[]): void {
    const now = new Set(loaded)
    for (const name of now) if (!this.#memory.has(name)) this.#moves.loads++
    for (const name of this.#memory) if (!now.has(name)) this.#moves.evictions++
    this.#memory = now
  }

  async #learn(tag: Tagged, signal: AbortSignal): Promise<void> {
    if (this.#known.has(tag.digest) || tag.remote_host) return
    // A model may be removed between the list and this; the next refresh no longer lists it.
    const shown = await this.#ask(signal, o => o.show({ model: tag.name })).catch(thrown => {
      signal.throwIfAborted()
      return (thrown as { status?: number }).status === 404 ? undefined : Promise.reject(thrown)
    })
    if (shown) this.#known.set(tag.digest, knownFrom(shown))
  }

  #model(tag: Tagged, loaded: Loaded | undefined): Model {
    const known = this.#known.get(tag.digest)
    const own = known?.contextTokens
    const context = loaded?.context_length || (own && (known.embeds ? own : Math.min(own, USUAL_CONTEXT)))
    return {
      name: tag.name,
      engine: 'ollama',
      workers: [this.#worker],
      bytes: tag.size,
      digest: tag.digest,
      ...(tag.details?.family && { family: tag.details.family }),
      ...(tag.details?.parameter_size && { parameters: tag.details.parameter_size }),
      ...(context && { contextTokens: context }),
      embeds: known?.embeds ?? false,
      loaded: loaded !== undefined,
      ...(loaded?.size !== undefined && { memoryBytes: loaded.size }),
      ...(loaded?.size_vram !== undefined && { vramBytes: loaded.size_vram }),
      ...(tag.modified_at && { modified: String(tag.modified_at) }),
    }
  }

  async #ask<T>(
    signal: AbortSignal,
    call: (o: ReturnType<Wire['open']>['ollama']) => Promise<T>,
  ): Promise<T> {
    const exchange = this.#wire.open({ signal })
    try {
      const answer = await call(exchange.ollama)
      exchange.finish()
      return answer
    } finally {
      exchange.close()
    }
  }
}

/** Ollama before 0.6.4 names no capabilities; there, models of the BERT families are those that make vectors. */
function knownFrom(shown: ShowResponse): Known {
  const info = (shown.model_info ?? {}) as unknown as Record<string, unknown>
  const length = Object.entries(info).find(([key]) => key.endsWith('.context_length'))?.[1]
  const asked = /^num_ctx\s+(\d+)/m.exec(shown.parameters ?? '')?.[1]
  const able =
    shown.capabilities ?? (/bert/.test(shown.details?.family ?? '') ? ['embedding'] : ['completion'])
  const chats = able.includes('completion')
  return {
    chats,
    embeds: able.includes('embedding') && !chats,
    ...(typeof length === 'number' && { contextTokens: asked ? Math.min(Number(asked), length) : length }),
  }
}

const fullName = (name: string) => {
  const lower = name.toLowerCase()
  return /:[^/]*$/.test(lower) ? lower : `${lower}:latest`
}
