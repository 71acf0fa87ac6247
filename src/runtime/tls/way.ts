import { isIPv6 } from 'node:net'
import type { Address } from '../../contracts/config.ts'
import { type Connector, connector } from './connect.ts'
import type { Dial } from './dial.ts'

/** A service's address, or the URL of a server outside. */
export type Place = Address | { url: string }

/** What a request to it is told to be for. */
export function originOf(at: Place): string {
  if ('socket' in at) return 'http://localhost'
  return 'url' in at ? at.url : `https://${isIPv6(at.host) ? `[${at.host}]` : at.host}:${at.port}`
}

/** How a pool makes its connections. A host and port is reached over TLS alone. */
export function connectTo(
  at: Place,
  dial: Dial | undefined,
): Connector | { noDelay: true; timeout: number; socketPath?: string } {
  const plain = { noDelay: true, timeout: 2_000 } as const
  if ('socket' in at) return { ...plain, socketPath: at.socket }
  if ('host' in at) return connector(at.host, at.port, needed(dial))
  const { protocol, hostname, port } = new URL(at.url)
  if (protocol !== 'https:' || !dial) return plain
  return connector(hostname.replace(/^\[|\]$/g, ''), Number(port) || 443, dial)
}

/** Returns once a connection stood; throws when it did not. */
export function reach(at: Place, dial: Dial | undefined): Promise<void> {
  const to = connectTo(at, dial)
  if (typeof to !== 'function') throw new Error('only a host is looked after')
  return new Promise((resolve, reject) =>
    to({}, (thrown, socket) => {
      socket?.destroy()
      if (thrown) reject(thrown)
      else resolve()
    }),
  )
}

function needed(dial: Dial | undefined): Dial {
  if (dial) return dial
  throw new Error('a host and port is called over TLS alone, and there is no certificate')
}
