import type { Readable } from 'node:stream'
import type { Address } from '../contracts/config.ts'
import { STREAM_SILENCE_MS } from '../contracts/hop.ts'
import type { ServiceName } from '../contracts/identity.ts'
import type { BodyOf, ParamsOf, QueryOf, ReplyOf, Route } from '../contracts/route.ts'
import { presentFirst } from './absence.ts'
import { broken, hopHeaders, isRefused, markUnsent, pathOf } from './call-parts.ts'
import { endsOf, stopOf } from './cancel.ts'
import type { Here, Neighbour } from './here.ts'
import type { Hop } from './hop.ts'
import { Peer, type Reply, type Request } from './peer.ts'
import { Refusal, refusalFrom } from './refusal.ts'
import type { Credentials } from './tls/credentials.ts'
import { dialService } from './tls/dial.ts'

export { Peer, type Reply } from './peer.ts'

interface CallOptions<R extends Route> {
  params?: ParamsOf<R>
  query?: QueryOf<R>
  body?: BodyOf<R>
  /** For routes that take bytes. */
  upload?: Buffer | Readable
  headers?: Record<string, string>
}

type Options<R extends Route> = CallOptions<R> & { peer?: Peer }

/**
 * How one service calls the others: under its own name, with the request's id, deadline and token. Callers do not see what carries a call:
 * HTTP over the other's socket, or nothing at all where both live in one process and the call is a body alone.
 */
export class Calls {
  readonly #self: ServiceName
  readonly #peers = new Map<ServiceName, Peer[]>()

  constructor(
    self: ServiceName,
    services: Record<string, Address[]>,
    o: { here?: Here; credentials?: Credentials } = {},
  ) {
    this.#self = self
    for (const [name, addresses] of Object.entries(services)) {
      const to = name as ServiceName
      const around = { here: o.here, dial: o.credentials && dialService(o.credentials, to) }
      this.#peers.set(
        to,
        addresses.map(at => new Peer(name, at, around)),
      )
    }
  }

  peers(of: ServiceName): Peer[] {
    return this.#peers.get(of) ?? []
  }

  /** One JSON document. Throws the Refusal that the other side answered with. */
  async call<R extends Route>(route: R, hop: Hop, o: Options<R> = {}): Promise<ReplyOf<R>> {
    const near = this.#near(route, o)
    if (near) return (await near.document(route, { caller: this.#self, hop, body: o.body })) as ReplyOf<R>
    return this.read(route, await this.raw(route, hop, o))
  }

  /** Reads an answer of `raw` as the document that its route promises. */
  async read<R extends Route>(_route: R, reply: Reply): Promise<ReplyOf<R>> {
    const text = await reply.body.text()
    if (reply.status >= 300) throw refusalFrom(reply.status, text, one(reply.headers['retry-after']))
    return (text ? JSON.parse(text) : undefined) as ReplyOf<R>
  }

  /** The NDJSON lines of an answer; texts that came at once are one. Ends with an error when the stream falls silent or is cut. */
  lines<T, R extends Route = Route>(route: R, hop: Hop, o: Options<R> = {}): AsyncGenerator<T> {
    const near = this.#near(route, o)
    if (!near) return this.#linesOver(route, hop, o)
    return near.lines(route, { caller: this.#self, hop, body: o.body }) as AsyncGenerator<T>
  }

  async *#linesOver<T, R extends Route>(route: R, hop: Hop, o: Options<R>): AsyncGenerator<T> {
    const request = { ...this.#request(route, hop, o), silenceMs: STREAM_SILENCE_MS }
    const stream = await this.#reach(route, hop, { peer: o.peer, send: peer => peer.lines<T>(request) })
    try {
      for (let lines = await stream.take(); lines; lines = await stream.take())
        for (const line of lines) yield line
    } catch (thrown) {
      throw broken(route, hop, thrown)
    } finally {
      stream.leave()
    }
  }

  /** The answer as it comes. */
  raw<R extends Route>(route: R, hop: Hop, o: Options<R> & { silenceMs?: number } = {}): Promise<Reply> {
    const request = { ...this.#request(route, hop, o), silenceMs: o.silenceMs }
    return this.#reach(route, hop, { peer: o.peer, send: peer => peer.request(request) })
  }

  /** Of several replicas the first, as over sockets. */
  #near<R extends Route>(route: R, o: Options<R>): Neighbour | undefined {
    if (o.headers || o.upload || o.params || o.query) return undefined
    return (o.peer ?? this.#peers.get(route.to)?.[0])?.inProcess(route)
  }

  #request<R extends Route>(route: R, hop: Hop, o: CallOptions<R>): Request {
    return {
      method: route.method,
      path: pathOf(route, o.params as Record<string, unknown>, o.query as Record<string, unknown>),
      headers: {
        ...hopHeaders(this.#self, hop),
        ...(o.body !== undefined && { 'content-type': 'application/json' }),
        ...o.headers,
      },
      body: o.body !== undefined ? JSON.stringify(o.body) : o.upload,
      ...endsOf(hop),
    }
  }

  /** Where a connection is refused, or the replica says that it began nothing, the next one is asked; nothing else is repeated here. */
  async #reach<T>(route: Route, hop: Hop, o: { peer?: Peer; send(peer: Peer): Promise<T> }): Promise<T> {
    let refused: unknown
    for (const peer of o.peer ? [o.peer] : presentFirst(this.peers(route.to))) {
      try {
        const answer = await o.send(peer)
        peer.absence.over()
        return answer
      } catch (thrown) {
        if (!isRefused(thrown) || stopOf(hop).aborted) throw broken(route, hop, thrown)
        peer.absence.begins()
        refused = thrown
      }
    }
    if (refused instanceof Refusal && refused.code !== 'unexpected') throw refused
    const says = `The ${route.to} service cannot be reached.`
    const next = 'Try again in a moment; `llmagentos cluster status` says what is down.'
    throw markUnsent(new Refusal(503, 'unavailable', says, { next, retryAfterSeconds: 1, cause: refused }))
  }

  async close(): Promise<void> {
    await Promise.all([...this.#peers.values()].flat().map(p => p.close()))
  }
}

const one = (header: string | string[] | undefined) => (Array.isArray(header) ? header[0] : header)
