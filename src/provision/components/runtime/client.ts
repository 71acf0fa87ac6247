import { request } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { json } from 'node:stream/consumers'
import { anySignal } from '../../../any-signal.ts'
import type { Secret } from '../../../secret.ts'
import type { Connection } from '../../connections/connection.ts'

/** One call of the gateway's API. Throws what the gateway said against it. */
export type Client = <T>(method: string, path: string, body?: object) => Promise<T>

const CALL_MS = 60_000

/** A client of the gateway on a node's loopback, through our way onto the node. */
export function clientOver(
  connection: Connection,
  o: { port: number; key: Secret; signal?: AbortSignal },
): Client {
  return async <T>(method: string, path: string, body?: object) => {
    const stream = await connection.open(o.port)
    try {
      const { status, said } = await exchange(stream, { ...o, method, path, body })
      if (status < 300) return said as T
      throw new Error(`the gateway says ${status}: ${JSON.stringify(said).slice(0, 300)}`)
    } finally {
      stream.destroy()
    }
  }
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
