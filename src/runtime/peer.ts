import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Dispatcher, Pool } from 'undici'
import type { Route } from '../contracts/route.ts'
import { codeOf, reasonOf } from '../errors.ts'
import { Absence } from './absence.ts'
import { isStopping, isUnbegun, markUnsent } from './call-parts.ts'
import { type Cancel, signalOf } from './cancel.ts'
import type { Here, Neighbour } from './here.ts'
import { LineStream, type Refuses } from './line-stream.ts'
import { Pulse } from './pulse.ts'
import { refusalFrom } from './refusal.ts'
import type { Dial } from './tls/dial.ts'
import { connectTo, finder, originOf, type Place } from './tls/way.ts'
import { untilRead } from './until-read.ts'

export interface Reply {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: Readable & { text(): Promise<string> }
}

export interface Request {
  method: Route['method']
  path: string
  headers?: Record<string, string>
  body?: string | Buffer | Readable
  signal?: AbortSignal
  /** Instead of a signal. */
  cancel?: Cancel
  /** Longest silence of the answering side, milliseconds. */
  silenceMs?: number
}

/** Longest time in which a replica that was away says that it is ready. */
const READY_MS = 2_000
const CONNECT_TRIES = 20
const CONNECT_PAUSE_MS = 5

/** One place to talk to, with its connections kept open. Over TLS where `dial` says how. */
export class Peer {
  readonly name: string
  readonly at: Place
  readonly absence = new Absence(() => this.#isReady())
  readonly #open: () => Pool
  readonly #here: () => Neighbour | undefined
  readonly #forget: (() => void) | undefined
  readonly #pulse: Pulse | undefined
  /** One of ours behind the gateway: when it stops it answers what it did not read, and nothing else, by a 503 that closes. */
  readonly #inside: boolean
  #pool: Pool

  constructor(name: string, at: Place, o: { here?: Here; dial?: Dial } = {}) {
    this.name = name
    this.at = at
    this.#inside = !('url' in at)
    this.#here = () => ('url' in at ? undefined : o.here?.find(at))
    this.#open = () => new Pool(originOf(at), { ...POOL, connect: connectTo(at, o.dial) })
    this.#pool = this.#open()
    this.#forget = o.dial?.onChange?.(() => this.#renew())
    const find = finder(at, o.dial)
    if (find) this.#pulse = new Pulse({ reach: find, lost: thrown => this.#lost(thrown) })
  }

  /** Nothing tells that a machine went dark; what waits for it would do so until its deadline. */
  #lost(thrown: unknown): void {
    this.absence.begins()
    const old = this.#pool
    this.#pool = this.#open()
    old.destroy(new Error(`it does not answer any more: ${reasonOf(thrown)}`)).catch(() => undefined)
  }

  /** What runs ends on the connections that it has; new requests make new ones. */
  #renew(): void {
    const old = this.#pool
    this.#pool = this.#open()
    old.close().catch(() => undefined)
  }

  request(r: Request): Promise<Reply> {
    return this.#connecting(r, async () => {
      const given = await this.#pool.request({ ...this.#sent(r), signal: signalOf(r) })
      const reply = { status: given.statusCode, headers: given.headers, body: given.body }
      const unbegun = isUnbegun(reply) || (this.#inside && isStopping(reply))
      // As far as a body was read it is gone.
      if (!unbegun || r.body instanceof Readable) return reply
      throw markUnsent(refusalFrom(reply.status, await reply.body.text(), one(reply.headers['retry-after'])))
    })
  }

  /** Settles once the answer has begun. */
  lines<T>(r: Request, refusal?: Refuses): Promise<LineStream<T>> {
    return this.#connecting(r, () => {
      const lines = new LineStream<T>(r.cancel ?? r.signal, refusal)
      this.#pool.dispatch(this.#sent(r), lines)
      return lines.begun
    })
  }

  #sent(r: Request): Dispatcher.RequestOptions {
    return {
      method: r.method,
      path: r.path,
      headers: r.headers,
      body: r.body instanceof Readable ? untilRead(r.body) : r.body,
      headersTimeout: r.silenceMs ?? 0,
      bodyTimeout: r.silenceMs ?? 0,
    } as Dispatcher.RequestOptions
  }

  #connecting<T>(r: Request, send: () => Promise<T>): Promise<T> {
    const sent = () => connecting(r, send)
    return this.#pulse ? this.#pulse.during(sent) : sent()
  }

  /** It, when it lives in this process and answers that route without its socket. */
  inProcess(route: Route): Neighbour | undefined {
    const neighbour = this.#here()
    return neighbour?.takes(route) ? neighbour : undefined
  }

  async #isReady(): Promise<boolean> {
    const signal = AbortSignal.timeout(READY_MS)
    const { statusCode, body } = await this.#pool.request({ method: 'GET', path: '/ready', signal })
    await body.dump()
    return statusCode === 200
  }

  close(): Promise<void> {
    this.absence.over()
    this.#forget?.()
    this.#pulse?.stop()
    return this.#pool.destroy()
  }
}

const one = (header: string | string[] | undefined) => [header].flat()[0]

const POOL = { connections: 512, pipelining: 1, keepAliveTimeout: 60_000 }

/** How Linux says that the line before a unix socket is full for now is EAGAIN: nothing was sent, so it is safe to try again. */
async function connecting<T>(r: Request, send: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await send()
    } catch (thrown) {
      const full = codeOf(thrown) === 'EAGAIN' && tries < CONNECT_TRIES && !(r.body instanceof Readable)
      if (!full) throw thrown
      await sleep(CONNECT_PAUSE_MS * tries, undefined, { signal: signalOf(r) })
    }
  }
}
