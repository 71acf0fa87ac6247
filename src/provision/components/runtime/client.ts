import { request } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { json } from 'node:stream/consumers'
import { connect, type TLSSocket } from 'node:tls'
import { anySignal } from '../../../any-signal.ts'
import type { Secret } from '../../../secret.ts'
import type { Connection } from '../../connections/connection.ts'

/** What a gateway said against a call. */
export class Refused extends Error {
  readonly code: unknown

  constructor(status: number, said: unknown) {
    super(`the gateway says ${status}: ${JSON.stringify(said).slice(0, 300)}`)
    this.code = (said as { error?: { code?: unknown } } | undefined)?.error?.code
  }
}

/** One call of the gateway's API. Throws Refused. */
export type Client = <T>(method: string, path: string, body?: object) => Promise<T>

const CALL_MS = 60_000

/** A client of the gateway on a node's loopback, through our way onto the node. */
export function clientOver(
  connection: Connection,
  o: { port: number; key: Secret; trust: Trust; signal?: AbortSignal },
): Client {
  return async <T>(method: string, path: string, body?: object) => {
    const stream = await secured(await connection.open(o.port), o.trust)
    try {
      const { status, said } = await exchange(stream, { ...o, method, path, body })
      if (status < 300) return said as T
      throw new Refused(status, said)
    } finally {
      stream.destroy()
    }
  }
}

/** `ca` (PEM): the only one that is trusted. Without it the gateway has a certificate of its own, whose names mean nothing on its loopback. */
export interface Trust {
  ca?: string
}

function secured(stream: Duplex, { ca }: Trust): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      socket: stream,
      servername: 'localhost',
      ...(ca === undefined ? { rejectUnauthorized: false } : { ca }),
    })
    const failed = (thrown: Error) => {
      stream.destroy()
      reject(thrown)
    }
    socket.once('error', failed)
    socket.once('secureConnect', () => {
      socket.off('error', failed)
      resolve(socket)
    })
  })
}

interface Call {
  port: number
  key: Secret
  signal?: AbortSignal
  method: string
  path: string
  body?: object
}

function exchange(stream: Duplex, call: Call): Promise<{ status: number; said: unknown }> {
  const { method, path, port, key } = call
  const late = AbortSignal.timeout(CALL_MS)
  const signal = call.signal ? anySignal([call.signal, late]) : late
  const text = call.body && JSON.stringify(call.body)
  const headers = {
    authorization: `Bearer ${key.reveal()}`,
    connection: 'close',
    ...(text && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
  }
  return new Promise((resolve, reject) => {
    const createConnection = () => stream as Socket
    const sent = request({ host: '127.0.0.1', port, method, path, headers, signal, createConnection })
    sent.on('error', reject)
    sent.on('response', answer => {
      json(answer).then(said => resolve({ status: answer.statusCode ?? 0, said }), reject)
    })
    sent.end(text)
  })
}
