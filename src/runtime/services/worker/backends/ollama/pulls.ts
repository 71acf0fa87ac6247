import type { PullFrame } from '../../../../../contracts/models.ts'
import { asFailure } from './failures.ts'
import type { Wire } from './wire.ts'

/** A download that says nothing for so long has died. */
const SILENCE_MS = 120_000

/** Downloads, one at a time per name: whoever asks for one that runs watches it, and the last to leave ends it. */
export class Pulls {
  readonly #wire: Wire
  readonly #done: (name: string) => Promise<void>
  readonly #running = new Map<string, Pull>()

  constructor(o: { wire: Wire; done(name: string): Promise<void> }) {
    this.#wire = o.wire
    this.#done = o.done
  }

  async *watch(name: string, o: { signal: AbortSignal }): AsyncGenerator<PullFrame> {
    o.signal.throwIfAborted()
    const pull = this.#running.get(name) ?? this.#start(name)
    yield* pull.watch(o.signal)
  }

  #start(name: string): Pull {
    const pull = new Pull(signal => this.#run(name, signal))
    this.#running.set(name, pull)
    // One that all have left ends a little later; who asks again before that starts a new one, and Ollama shares what was loaded.
    pull.left.addEventListener('abort', () => this.#forget(name, pull))
    void pull.over.then(() => this.#forget(name, pull))
    return pull
  }

  #forget(name: string, pull: Pull): void {
    if (this.#running.get(name) === pull) this.#running.delete(name)
  }

  async *#run(name: string, signal: AbortSignal): AsyncGenerator<PullFrame> {
    const exchange = this.#wire.open({ signal, silenceMs: SILENCE_MS })
    try {
      for await (const p of await exchange.ollama.pull({ model: name, stream: true })) {
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
    await this.#done(name)
    yield { type: 'done', model: name }
  }
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
