import type { PullFrame } from '../../../../../contracts/models.ts'
import { Refusal } from '../../../../refusal.ts'
import { asFailure } from './failures.ts'
import { lend, type Source } from './lent.ts'
import type { Wire } from './wire.ts'

/** A download that says nothing for so long has died. */
const SILENCE_MS = 120_000

/** Of the disk, for all else that lives there. */
const SPARE_BYTES = 1024 ** 3

/** Where a model comes from that is not downloaded. It lives as long as `signal`. */
export type Sourced = (signal: AbortSignal) => Promise<Source>

/** Downloads, one at a time per name: whoever asks for one that runs watches it, and the last to leave ends it. */
export class Pulls {
  readonly #wire: Wire
  readonly #done: (name: string) => Promise<void>
  readonly #room: () => Promise<number | undefined>
  readonly #running = new Map<string, Pull>()

  /** `room`: bytes that are free for models, as far as anybody knows. */
  constructor(o: { wire: Wire; done(name: string): Promise<void>; room(): Promise<number | undefined> }) {
    this.#wire = o.wire
    this.#done = o.done
    this.#room = o.room
  }

  get idle(): boolean {
    return this.#running.size === 0
  }

  async *watch(name: string, o: { signal: AbortSignal; source?: Sourced }): AsyncGenerator<PullFrame> {
    o.signal.throwIfAborted()
    const pull = this.#running.get(name) ?? this.#start(name, o.source)
    yield* pull.watch(o.signal)
  }

  #start(name: string, source: Sourced | undefined): Pull {
    const pull = new Pull(signal => this.#run(name, signal, source))
    this.#running.set(name, pull)
    // One that all have left ends a little later; who asks again before that starts a new one, and Ollama shares what was loaded.
    pull.left.addEventListener('abort', () => this.#forget(name, pull))
    void pull.over.then(() => this.#forget(name, pull))
    return pull
  }

  #forget(name: string, pull: Pull): void {
    if (this.#running.get(name) === pull) this.#running.delete(name)
  }

  async *#run(name: string, signal: AbortSignal, sourced?: Sourced): AsyncGenerator<PullFrame> {
    const lent = sourced && (await lend(await sourced(signal)))
    try {
      yield* this.#pull(lent?.name ?? name, { signal, insecure: lent !== undefined })
      if (lent) await this.#rename(lent.name, name, signal)
    } finally {
      await lent?.close()
    }
    await this.#done(name)
    yield { type: 'done', model: name }
  }

  async *#pull(
    model: string,
    { signal, insecure }: { signal: AbortSignal; insecure: boolean },
  ): AsyncGenerator<PullFrame> {
    const free = await this.#room()
    const exchange = this.#wire.open({ signal, silenceMs: SILENCE_MS })
    const layers = new Map<string, number>()
    try {
      // The registry on loopback that hands on a model of another worker speaks HTTP.
      for await (const p of await exchange.ollama.pull({ model, stream: true, insecure })) {
        if (p.digest && p.total && !layers.has(p.digest)) {
          layers.set(p.digest, p.total - (p.completed ?? 0))
          checkRoom(layers, free)
        }
        yield {
          type: 'progress',
          status: p.status,
          ...(p.completed !== undefined && { completedBytes: p.completed }),
          ...(p.total !== undefined && { totalBytes: p.total }),
        }
      }
      exchange.finish()
    } finally {
      exchange.close()
    }
  }

  async #rename(from: string, to: string, signal: AbortSignal): Promise<void> {
    for (const act of ['copy', 'delete'] as const) {
      const exchange = this.#wire.open({ signal })
      try {
        if (act === 'copy') await exchange.ollama.copy({ source: from, destination: to })
        else await exchange.ollama.delete({ model: from })
        exchange.finish()
      } finally {
        exchange.close()
      }
    }
  }
}

function checkRoom(layers: Map<string, number>, free: number | undefined): void {
  const wanted = [...layers.values()].reduce((sum, bytes) => sum + bytes, 0)
  if (free === undefined || wanted + SPARE_BYTES <= free) return
  const gb = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`
  throw new Refusal(
    507,
    'no_room',
    `There is no room for it: ${gb(wanted)} are to come, ${gb(free)} are free, and ${gb(SPARE_BYTES)} stay free.`,
    { next: 'Remove a model (`llmagentos model rm NAME`), or give models a larger disk.' },
  )
}

class Pull {
  readonly over: Promise<void>
  readonly #leave = new AbortController()
  readonly #wakers = new Set<() => void>()
  #watchers = 0
  #last: PullFrame | undefined
  #version = 0
  #ended: { thrown?: unknown } | undefined

  constructor(run: (signal: AbortSignal) => AsyncIterable<PullFrame>) {
    this.over = this.#follow(run(this.#leave.signal))
  }

  get left(): AbortSignal {
    return this.#leave.signal
  }

  /** The newest progress each time there is some: a slow watcher misses lines, never the end. */
  async *watch(signal: AbortSignal): AsyncGenerator<PullFrame> {
    this.#watchers++
    let seen = 0
    try {
      for (;;) {
        signal.throwIfAborted()
        if (this.#last && this.#version !== seen) {
          seen = this.#version
          yield this.#last
        } else if (this.#ended) {
          if ('thrown' in this.#ended) throw this.#ended.thrown
          return
        } else {
          await this.#change(signal)
        }
      }
    } finally {
      this.#watchers--
      if (this.#watchers === 0 && !this.#ended) this.#leave.abort()
    }
  }

  async #follow(frames: AsyncIterable<PullFrame>): Promise<void> {
    try {
      for await (const frame of frames) {
        this.#last = frame
        this.#version++
        this.#wake()
      }
      this.#ended = {}
    } catch (thrown) {
      this.#ended = { thrown: asFailure(thrown, this.left) }
    }
    this.#wake()
  }

  #wake(): void {
    for (const wake of this.#wakers) wake()
  }

  #change(signal: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      const wake = () => {
        this.#wakers.delete(wake)
        signal.removeEventListener('abort', wake)
        resolve()
      }
      this.#wakers.add(wake)
      signal.addEventListener('abort', wake)
    })
  }
}
