import { createHash } from 'node:crypto'
import { type Agent, type IncomingMessage, request as plain } from 'node:http'
import { request as overTls } from 'node:https'
import type { Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { encoded, queryOf, type Signer, signed, UNSIGNED } from './signature.ts'

export interface WireRequest {
  method: 'GET' | 'HEAD' | 'PUT'
  Bucket: string
  Key: string
  query?: Record<string, string>
  headers?: Record<string, string>
  body?: Buffer
}

interface Options {
  host: string
  port: number
  tls: boolean
  agent: Agent
  signer: Signer
  connectMs: number
}

const NOTHING = createHash('sha256').digest('hex')
/** Over TLS larger bodies are not hashed for the signature: TLS guards them on their way, and it would cost both ends as much again. */
const SIGNED_BYTES = 64 * 1024

/**
 * The requests that objects and records are made of, sent as they are: the library takes four times as long for each. What needs XML
 * goes through the library.
 */
export class Wire {
  readonly #o: Options
  readonly #host: string
  /** Ours is ahead of the gateway's clock by so much. */
  #aheadMs = 0

  constructor(o: Options) {
    this.#o = o
    this.#host = `${o.host.includes(':') ? `[${o.host}]` : o.host}:${o.port}`
  }

  /** The answer as it comes. Throws what the library would: the name is S3's code, the status stands in `$metadata`. */
  async send(r: WireRequest, signal: AbortSignal): Promise<IncomingMessage> {
    const reply = await this.#sent(r, signal)
    if (reply.statusCode! < 300) {
      if (r.method !== 'GET') reply.resume()
      return reply
    }
    const code =
      /<Code>(\w+)<\/Code>/.exec(await text(reply))?.[1] ??
      (reply.statusCode === 404 ? 'NotFound' : 'Unknown')
    if (code === 'RequestTimeTooSkewed' && reply.headers.date)
      this.#aheadMs = Date.now() - Date.parse(reply.headers.date)
    throw Object.assign(new Error(`${r.method} was answered with ${reply.statusCode} ${code}`), {
      name: code,
      $metadata: { httpStatusCode: reply.statusCode },
    })
  }

  #sent(r: WireRequest, signal: AbortSignal): Promise<IncomingMessage> {
    const { host, port, tls, agent, signer } = this.#o
    const path = `/${r.Bucket}/${r.Key.split('/').map(encoded).join('/')}`
    const headers: Record<string, string> = { host: this.#host, ...r.headers }
    if (r.body) headers['content-length'] = String(r.body.length)
    const all = signed(
      { method: r.method, path, query: r.query, headers, payload: payloadOf(r.body, tls) },
      signer,
      new Date(Date.now() - this.#aheadMs),
    )
    const target = r.query ? `${path}?${queryOf(r.query)}` : path
    const o = { host, port, agent, method: r.method, path: target, headers: all, signal }
    return new Promise((resolve, reject) => {
      const request = tls ? overTls(o, resolve) : plain(o, resolve)
      request.once('socket', (socket: Socket) => {
        if (socket.connecting) connectWithin(this.#o.connectMs, socket)
      })
      request.on('error', reject)
      request.end(r.body)
    })
  }
}

function payloadOf(body: Buffer | undefined, tls: boolean): string {
  if (!body) return NOTHING
  return tls && body.length > SIGNED_BYTES ? UNSIGNED : createHash('sha256').update(body).digest('hex')
}

function connectWithin(ms: number, socket: Socket): void {
  const late = () =>
    socket.destroy(Object.assign(new Error(`no connection within ${ms} ms`), { code: 'ETIMEDOUT' }))
  const timer = setTimeout(late, ms)
  for (const event of ['connect', 'close']) socket.once(event, () => clearTimeout(timer))
}
