import { setMaxListeners } from 'node:events'
import type { Readable } from 'node:stream'
import { anySignal } from '../../any-signal.ts'
import type { BodyOf, ParamsOf, QueryOf, ReplyOf, Route } from '../../contracts/route.ts'
import { EXIT, Failure, reasonOf } from '../../errors.ts'
import type { Secret } from '../../secret.ts'
import { isRefused, pathOf } from '../call-parts.ts'
import { jsonLines } from '../ndjson.ts'
import { refusalFrom } from '../refusal.ts'
import { dialGateway } from '../tls/dial.ts'
import { Peer, type Reply } from '../transport.ts'
import { isDistrusted, readCa } from './ca.ts'
import { Clusters, readKey } from './clusters.ts'
import { asFailure } from './failure.ts'

export { readCa } from './ca.ts'
export { Clusters, readKey } from './clusters.ts'

interface Options<R extends Route> {
  params?: ParamsOf<R>
  query?: QueryOf<R>
  body?: BodyOf<R>
  upload?: Readable | Buffer
  headers?: Record<string, string>
  /** Ends this request alone. */
  signal?: AbortSignal
}

/** Longest silence of a gateway, milliseconds: streams beat each second, everything else answers within its own deadline. */
const SILENCE_MS = 60_000

/** The CLI's way to a cluster: every gateway's URL, tried in order until one takes the connection; refusals become Failures. */
export class Client {
  readonly urls: string[]
  readonly #peers: Peer[]
  readonly #key: Secret
  readonly #signal: AbortSignal

  /** `ca` (PEM): the only one that is trusted for these gateways. */
  constructor(o: { urls: string[]; key: Secret; signal: AbortSignal; ca?: string }) {
    this.urls = o.urls
    const dial = dialGateway(o.ca)
    this.#peers = o.urls.map(url => new Peer(url, { url }, { dial }))
    this.#key = o.key
    this.#signal = o.signal
    // Each request listens to it, and many may be under way.
    setMaxListeners(0, o.signal)
  }

  async call<R extends Route>(route: R, o: Options<R> = {}): Promise<ReplyOf<R>> {
    const reply = await this.raw(route, o)
    const text = await reply.body.text()
    return (text ? JSON.parse(text) : undefined) as ReplyOf<R>
  }

  /** NDJSON lines; beats are left out. */
  async *lines<T extends object>(route: Route, o: Options<Route> = {}): AsyncGenerator<T> {
    const reply = await this.raw(route, o as never)
    try {
      for await (const line of jsonLines<T | { type: 'beat' }>(reply.body)) {
        if (!('type' in line && line.type === 'beat')) yield line as T
      }
    } catch (thrown) {
      throw asFailure(thrown, this.#ends(o))
    }
  }

  async raw<R extends Route>(route: R, o: Options<R> = {}): Promise<Reply> {
    const reply = await this.#send(route, o)
    if (reply.status >= 300)
      throw asFailure(
        refusalFrom(reply.status, await reply.body.text(), String(reply.headers['retry-after'] ?? '')),
      )
    return reply
  }

  async close(): Promise<void> {
    await Promise.all(this.#peers.map(p => p.close()))
  }

  async #send<R extends Route>(route: R, o: Options<R>): Promise<Reply> {
    let last: unknown
    const signal = this.#ends(o)
    for (const peer of this.#peers) {
      try {
        return await peer.request({
          method: route.method,
          path: pathOf(route, o.params as Record<string, unknown>, o.query as Record<string, unknown>),
          headers: {
            authorization: `Bearer ${this.#key.reveal()}`,
            ...(o.body !== undefined && { 'content-type': 'application/json' }),
            ...(o.upload !== undefined && { 'content-type': 'application/octet-stream' }),
            ...o.headers,
          },
          body: o.body !== undefined ? JSON.stringify(o.body) : o.upload,
          signal,
          silenceMs: SILENCE_MS,
        })
      } catch (thrown) {
        if (signal.aborted || !isRefused(thrown)) throw asFailure(thrown, signal)
        last = thrown
      }
    }
    throw new Failure(`No gateway answers at ${this.urls.join(', ')}.`, {
      exit: EXIT.unreachable,
      why: isDistrusted(last) ? `Its certificate is not trusted: ${reasonOf(last)}.` : undefined,
      next: isDistrusted(last)
        ? 'Name the CA of the cluster: llmagentos cluster use NAME --url URL --ca FILE, or LLMAGENTOS_CA_FILE.'
        : 'Start the cluster: llmagentos cluster up',
      cause: last,
    })
  }

  #ends({ signal }: { signal?: AbortSignal }): AbortSignal {
    return signal ? anySignal([this.#signal, signal]) : this.#signal
  }
}

interface Around {
  env: NodeJS.ProcessEnv
  signal: AbortSignal
}

/** A client of the current cluster, or of LLMAGENTOS_URL with the key in LLMAGENTOS_KEY_FILE and the CA in LLMAGENTOS_CA_FILE. */
export async function openClient({ env, signal }: Around): Promise<Client> {
  const { urls, keyFile, caFile } = target(env)
  const key = readKey(keyFile)
  if (!key) {
    throw new Failure(`There is no API key in ${keyFile}.`, {
      exit: EXIT.unreachable,
      next: 'Run `llmagentos cluster up` on the machine of the cluster, or point LLMAGENTOS_KEY_FILE to a file with a key.',
    })
  }
  return new Client({ urls, key, signal, ca: caFile === undefined ? undefined : readCa(caFile) })
}

function target(env: NodeJS.ProcessEnv): { urls: string[]; keyFile: string; caFile?: string } {
  const known = new Clusters(env).current()
  const url = env.LLMAGENTOS_URL
  if (url)
    return {
      urls: url.split(','),
      keyFile: env.LLMAGENTOS_KEY_FILE ?? known?.keyFile ?? 'LLMAGENTOS_KEY_FILE',
      caFile: env.LLMAGENTOS_CA_FILE,
    }
  if (known)
    return {
      urls: known.urls,
      keyFile: env.LLMAGENTOS_KEY_FILE ?? known.keyFile,
      caFile: env.LLMAGENTOS_CA_FILE ?? known.caFile,
    }
  throw new Failure('There is no cluster yet.', {
    exit: EXIT.unreachable,
    next: 'Start one on this machine: llmagentos cluster up',
  })
}
