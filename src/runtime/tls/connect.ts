import { once } from 'node:events'
import { isIP } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import { markUnsent } from '../call-parts.ts'
import type { Dial } from './dial.ts'

/** Longest time until a connection stands, handshake included. */
export const CONNECT_MS = 2_000

/** As undici asks for a connection. */
export type Connector = (
  options: object,
  callback: (...found: [thrown: null, socket: TLSSocket] | [thrown: Error, socket: null]) => void,
) => void

/** Makes a pool's connections to one host and port. Whatever fails before a connection stands was not sent, and is marked so. */
export function connector(host: string, port: number, dial: Dial): Connector {
  return (_options, callback) => {
    const socket = begun(host, port, dial)
    const late = setTimeout(
      () =>
        socket.destroy(
          Object.assign(new Error(`${host}:${port} took no connection within ${CONNECT_MS} ms`), {
            code: 'ETIMEDOUT',
          }),
        ),
      CONNECT_MS,
    )
    const failed = (thrown: Error) => {
      clearTimeout(late)
      callback(markUnsent(thrown), null)
    }
    socket.once('error', failed)
    socket.once('secureConnect', () => {
      clearTimeout(late)
      socket.off('error', failed)
      callback(null, socket)
    })
  }
}

/** Returns once that machine took a connection, whether or not anybody there is about to use it. Throws when it did not. */
export async function knock(host: string, port: number, dial: Dial): Promise<void> {
  const socket = begun(host, port, dial)
  // A handshake that is not finished is a line in the log of whoever answers.
  const end = () => socket.destroy()
  setTimeout(end, CONNECT_MS).unref()
  socket.on('error', end)
  socket.once('secureConnect', end)
  await once(socket, 'connect', { signal: AbortSignal.timeout(CONNECT_MS) })
}

function begun(host: string, port: number, dial: Dial): TLSSocket {
  const socket = connect({
    host,
    port,
    // An address is no server name.
    ...(!isIP(host) && { servername: host }),
    ALPNProtocols: ['http/1.1'],
    ...dial.options(),
  })
  socket.setNoDelay(true)
  socket.setKeepAlive(true, 10_000)
  return socket
}
