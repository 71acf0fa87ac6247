import {
  type ConnectionOptions,
  createSecureContext,
  type PeerCertificate,
  type SecureContext,
} from 'node:tls'
import type { ServiceName } from '../../contracts/identity.ts'
import { spiffeIdIn, spiffeText } from '../identity/spiffe.ts'
import type { Credentials } from './credentials.ts'

/** How connections to one place are secured; asked for each of them. */
export interface Dial {
  options(): ConnectionOptions
  /** Hears when connections that are open are of yesterday. Returns what ends it. */
  onChange?(listener: () => void): () => void
}

/**
 * To one service of our own cluster, under our own certificate. Its address is where it is looked for and proves nothing: the certificate has
 * to name that service of this cluster.
 */
export function dialService(credentials: Credentials, service: ServiceName): Dial {
  const { cluster } = credentials.self
  return {
    onChange: listener => credentials.onChange(listener),
    options: () => ({
      secureContext: contextOf(credentials),
      minVersion: 'TLSv1.3',
      checkServerIdentity: (_host: string, { subjectaltname }: PeerCertificate) => {
        const id = spiffeIdIn(subjectaltname)
        if (id?.service === service && id.cluster === cluster) return undefined
        return new Error(
          `who answers there is ${id ? spiffeText(id) : 'no service of ours'}, not ${spiffeText({ cluster, service })}`,
        )
      },
    }),
  }
}

/** To a gateway, as any HTTPS client; `ca` (PEM) is trusted alone where it is given. */
export function dialGateway(ca: string | undefined): Dial {
  // Reading the CAs that Node brings takes a while, and most clusters of one machine have no use for them.
  let secureContext: SecureContext | undefined
  return {
    options() {
      secureContext ??= createSecureContext({ ca, minVersion: 'TLSv1.2' })
      return { secureContext, minVersion: 'TLSv1.2' }
    },
  }
}

const contexts = new WeakMap<object, SecureContext>()

/** Making one takes a millisecond, so all connections of one state of the files share it. */
function contextOf({ current }: Credentials): SecureContext {
  let context = contexts.get(current)
  if (!context) {
    context = createSecureContext({ ...current, minVersion: 'TLSv1.3' })
    contexts.set(current, context)
  }
  return context
}
