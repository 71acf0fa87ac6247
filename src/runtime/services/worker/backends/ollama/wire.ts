import type { Readable } from 'node:stream'
import { type ChatRequest, type ChatResponse, Ollama } from 'ollama/browser'
import { codeOf } from '../../../../../errors.ts'
import { type Ends, endsOf } from '../../../../cancel.ts'
import type { LineStream } from '../../../../line-stream.ts'
import { Peer } from '../../../../transport.ts'
import { broken, garbled, refused } from './failures.ts'

/** One exchange with Ollama. Call `close()` in any case; `finish()` before it when the answer is complete. */
export interface Exchange {
  ollama: Ollama
  /** Nothing more is wanted, and the connection may serve the next one. */
  finish(): void
  /** Cuts the connection unless the answer was finished; Ollama then stops generating. */
  close(): void
}

/** What the `ollama` package asks of fetch. */
interface Init {
  method?: 'POST' | 'DELETE'
  headers?: Record<string, string>
  body?: string
}
type Part = ChatResponse & { error?: string }
interface Call {
  signal: AbortSignal
  silenceMs?: number
}
interface Read {
  done: boolean
  value?: Uint8Array
}

/**
 * Speaks to one Ollama through the `ollama` package, over connections of our own: each exchange has its own signal and its own limit of
 * silence, Nagle is off, and a failure is a Refusal before the package sees it (which would print it).
 */
export class Wire {
  readonly url: string
  readonly #peer: Peer
  readonly #origin: string

  constructor(url: string) {
    const { origin, href } = new URL(url)
    this.url = href.replace(/\/$/, '')
    this.#origin = origin
    this.#peer = new Peer('ollama', { url: origin })
  }

  /**
   * A chat, settled once its answer begins; `take` gives its parts. Not through the package: what that does for each exchange and
   * each part costs more than all the rest of a worker.
   */
  async chat(request: ChatRequest, o: Ends): Promise<LineStream<Part>> {
    const sent = {
      method: 'POST' as const,
      path: `${this.url.slice(this.#origin.length)}/api/chat`,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(request),
      ...endsOf(o),
    }
    return this.#twice(o, () =>
      this.#peer.lines<Part>(sent, (status, text) => refused({ status, text })),
    ).catch(rethrow(thrown => this.explain(thrown, o.signal)))
  }

  /** What broke an exchange, in our words. */
  explain(thrown: unknown, signal: AbortSignal): unknown {
    if (thrown instanceof SyntaxError) return garbled()
    return broken(thrown, { signal, url: this.url })
  }

  open(o: Call): Exchange {
    const cut = new AbortController()
    const follow = () => cut.abort(o.signal.reason)
    if (o.signal.aborted) follow()
    else o.signal.addEventListener('abort', follow, { once: true })
    let body: Readable | undefined
    let finished = false

    const explain = (thrown: unknown) => this.explain(thrown, cut.signal)
    const fetch = async (url: string, init: Init) => {
      const sent = {
        method: init.method ?? ('GET' as const),
        path: url.slice(this.#origin.length),
        headers: init.headers,
        body: init.body,
        signal: cut.signal,
        silenceMs: o.silenceMs,
      }
      const reply = await this.#twice(cut, () => this.#peer.request(sent)).catch(rethrow(explain))
      body = reply.body
      // Cut by us or by the other side when nobody reads any more: no reason to end the process.
      body.on('error', () => {})
      const text = () => reply.body.text().catch(rethrow(explain))
      if (reply.status >= 400) throw refused({ status: reply.status, text: await text() })
      return {
        ok: true,
        status: reply.status,
        json: async () => JSON.parse(await text()),
        body: { getReader: () => wholeLines(reply.body, explain) },
      }
    }
    return {
      ollama: new Ollama({ host: this.url, fetch: fetch as unknown as typeof globalThis.fetch }),
      finish() {
        finished = true
        body?.resume()
      },
      close() {
        o.signal.removeEventListener('abort', follow)
        if (!finished) cut.abort()
      },
    }
  }

  close(): Promise<void> {
    return this.#peer.close()
  }

  /** A kept connection of an Ollama that was restarted fails when it is used; nothing that we ask does harm when it is asked twice. */
  async #twice<T>(o: Pick<Call, 'signal'>, send: () => Promise<T>): Promise<T> {
    try {
      return await send()
    } catch (thrown) {
      if (!o.signal.aborted && LOST.has(codeOf(thrown) ?? '')) return send()
      throw thrown
    }
  }
}

const LOST = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'])

const rethrow = (explain: (thrown: unknown) => unknown) => (thrown: unknown) => {
  throw explain(thrown)
}

const NEWLINE = 10
const OPEN = 123
const CLOSE = 125

/** A reader of whole lines of JSON: the package drops what it cannot parse, and an answer with a hole in it must not look complete. */
function wholeLines(body: Readable, explain: (thrown: unknown) => unknown) {
  const pieces = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  let rest: Buffer | undefined
  const read = async (): Promise<Read> => {
    for (;;) {
      let step: IteratorResult<Buffer>
      try {
        step = await pieces.next()
      } catch (thrown) {
        throw explain(thrown)
      }
      if (step.done) {
        if (rest?.length) throw garbled()
        return { done: true }
      }
      const all = rest ? Buffer.concat([rest, step.value]) : step.value
      const end = all.lastIndexOf(NEWLINE) + 1
      rest = end < all.length ? all.subarray(end) : undefined
      if (end === 0) continue
      const lines = all.subarray(0, end)
      checkLines(lines)
      return { done: false, value: lines }
    }
  }
  return { read, releaseLock() {} }
}

function checkLines(lines: Buffer): void {
  for (let from = 0; from < lines.length; ) {
    const end = lines.indexOf(NEWLINE, from)
    if (lines[from] !== OPEN || lines[end - 1] !== CLOSE) throw garbled()
    from = end + 1
  }
}
