import { randomUUID } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { Readable } from 'node:stream'
import { anySignal } from '../../any-signal.ts'
import { REPEAT_KEY } from '../../contracts/hop.ts'
import type { BodyOf, ParamsOf, QueryOf, ReplyOf, Route } from '../../contracts/route.ts'
import { EXIT, Failure, reasonOf } from '../../errors.ts'
import type { Secret } from '../../secret.ts'
import { isRefused, pathOf } from '../call-parts.ts'
import { jsonLines } from '../ndjson.ts'
import { Refusal, refusalFrom } from '../refusal.ts'
import type { Reply } from '../transport.ts'
import { isDistrusted, readCa } from './ca.ts'
import { Clusters, readKey } from './clusters.ts'
import { asFailure } from './failure.ts'
import { Gateways } from './gateways.ts'

export { readCa } from './ca.ts'
export { Clusters, readKey } from './clusters.ts'

interface Options<R extends Route> {
  params?: ParamsOf<R>
  query?: QueryOf<R>
  body?: BodyOf<R>
  /** A stream can be sent once alone; who can make it anew gives a function. */
  upload?: Readable | Buffer | (() => Readable)
  headers?: Record<string, string>
  /** Ends this request alone. */
  signal?: AbortSignal
}

/** The CLI's way to a cluster, through any of its gateways; refusals become Failures. */
export class Client {
  readonly urls: string[]
  readonly #gateways: Gateways
  readonly #key: Secret
  readonly #signal: AbortSignal

  /** `ca` (PEM): the only one that is trusted for these gateways. */
  constructor(o: { urls: string[]; key: Secret; signal: AbortSignal; ca?: string }) {
    this.urls = o.urls
    this.#gateways = new Gateways(o.urls, o.ca)
    this.#key = o.key
    this.#signal = o.signal
    // Each request listens to it, and many may be under way.
    setMaxListeners(0, o.signal)
  }

  call<R extends Route>(route: R, o: Options<R> = {}): Promise<ReplyOf<R>> {
    return this.#send(route, o, async reply => {
      const text = await (await accepted(reply)).body.text()
      return (text ? JSON.parse(text) : undefined) as ReplyOf<R>
    })
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

  raw<R extends Route>(route: R, o: Options<R> = {}): Promise<Reply> {
    return this.#send(route, o, accepted)
  }

  close(): Promise<void> {
    return this.#gateways.close()
  }

  async #send<R extends Route, T>(route: R, o: Options<R>, take: (reply: Reply) => Promise<T>): Promise<T> {
    const signal = this.#ends(o)
    const { upload } = o
    const headers = {
      authorization: `Bearer ${this.#key.reveal()}`,
      ...(o.body !== undefined && { 'content-type': 'application/json' }),
      ...(upload !== undefined && { 'content-type': 'application/octet-stream' }),
      ...(route.repeats === 'keyed' && { [REPEAT_KEY]: randomUUID() }),
      ...o.headers,
    }
    const make = () => ({
      method: route.method,
      path: pathOf(route, o.params as Record<string, unknown>, o.query as Record<string, unknown>),
      headers,
      body: o.body !== undefined ? JSON.stringify(o.body) : typeof upload === 'function' ? upload() : upload,
    })
    const whole = !(upload instanceof Readable)
    const repeats = whole && mayRepeat(route, { body: o.body, headers })
    try {
      return await this.#gateways.ask({ make, whole, repeats, signal, take })
    } catch (thrown) {
      if (signal.aborted || thrown instanceof Failure) throw thrown
      if (thrown instanceof Refusal || !isRefused(thrown)) throw asFailure(thrown, signal)
      throw this.#noGateway(thrown)
    }
  }

  #noGateway(thrown: unknown): Failure {
    const distrusted = isDistrusted(thrown)
    return new Failure(`No gateway answers at ${this.urls.join(', ')}.`, {
      exit: EXIT.unreachable,
      why: distrusted ? `Its certificate is not trusted: ${reasonOf(thrown)}.` : undefined,
      next: distrusted
        ? 'Name the CA of the cluster: llmagentos cluster use NAME --url URL --ca FILE, or LLMAGENTOS_CA_FILE.'
        : 'Start the cluster: llmagentos cluster up',
      cause: thrown,
    })
  }

  #ends({ signal }: { signal?: AbortSignal }): AbortSignal {
    return signal ? anySignal([this.#signal, signal]) : this.#signal
  }
}

async function accepted(reply: Reply): Promise<Reply> {
  if (reply.status < 300) return reply
  const retryAfter = String(reply.headers['retry-after'] ?? '')
  throw refusalFrom(reply.status, await reply.body.text(), retryAfter)
}

/** Whether it does no harm when it was carried out the first time after all. */
function mayRepeat(route: Route, sent: { body: unknown; headers: Record<string, string> }): boolean {
  if (route.method === 'GET' || route.repeats === 'always') return true
  if (route.repeats === 'sessionless') return (sent.body as { session?: string }).session === undefined
  return route.repeats !== undefined && sent.headers[REPEAT_KEY] !== undefined
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

/** A client of the cluster of that name, which is known since `cluster up`. Throws Failure (4) where it is not. */
export function openClientOf(name: string, { env, signal }: Around): Client {
  const known = new Clusters(env).get(name)
  const key = known && readKey(known.keyFile)
  if (!known || !key)
    throw new Failure(`There is no API key for ${name} here.`, {
      exit: EXIT.unreachable,
      next: 'Run `llmagentos cluster up`, which leaves one.',
    })
  const ca = known.caFile === undefined ? undefined : readCa(known.caFile)
  return new Client({ urls: known.urls, key, signal, ca })
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
