import { isIPv6 } from 'node:net'
import type { Address } from '../../contracts/config.ts'
import { CONNECT_MS, type Connector, connector, knock } from './connect.ts'
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
  const plain = { noDelay: true, timeout: CONNECT_MS } as const
  if ('socket' in at) return { ...plain, socketPath: at.socket }
  if ('host' in at) return connector(at.host, at.port, needed(dial))
  if (new URL(at.url).protocol !== 'https:' || !dial) return plain
  return connector(...hostOf(at.url), dial)
}

/**
 * Finds out whether whoever was asked there can still answer; throws when not. A service takes connections as long as it does. A gateway that
 * drains takes none and finishes what it has, so all that tells is whether its machine does. Undefined where a process alone can be gone, which
 * ends its connections.
 */
export function finder(at: Place, dial: Dial | undefined): (() => Promise<void>) | undefined {
  const to = connectTo(at, dial)
  if (typeof to !== 'function') return undefined
  if ('url' in at) return () => knock(...hostOf(at.url), needed(dial))
  return () =>
    new Promise((resolve, reject) =>
      to({}, (thrown, socket) => {
        socket?.destroy()
        if (thrown) reject(thrown)
        else resolve()
      }),
    )
}

function hostOf(url: string): [host: string, port: number] {
  const { hostname, port } = new URL(url)
  return [hostname.replace(/^\[|\]$/g, ''), Number(port) || 443]
}

function needed(dial: Dial | undefined): Dial {
  if (dial) return dial
  throw new Error('a host and port is called over TLS alone, and there is no certificate')
}
