import { constants } from 'node:crypto'
import type { Server, ServerOptions } from 'node:https'
import type { TLSSocket } from 'node:tls'
import type { FastifyInstance } from 'fastify'
import type { ServiceName } from '../../contracts/identity.ts'
import { reasonOf } from '../../errors.ts'
import type { Log } from '../../log.ts'
import { spiffeIdIn, spiffeText } from '../identity/spiffe.ts'
import { Refusal } from '../refusal.ts'
import { callerOn, noteCaller } from './caller.ts'
import type { Credentials } from './credentials.ts'
import type { Texts, WatchedFiles } from './watched.ts'

const HANDSHAKE_MS = 5_000
/** What every service of the cluster may ask of every other: it tells nothing of users. */
const OPEN_TO_ALL = ['/healthz', '/ready', '/metrics']

/** TLS 1.3 on both sides, and no tickets: with one, a caller would come in again under a certificate that has ended. */
export function mutualTls(current: Texts<'cert' | 'key' | 'ca'>): ServerOptions {
  return {
    ...current,
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.3',
    secureOptions: constants.SSL_OP_NO_TICKET,
    handshakeTimeout: HANDSHAKE_MS,
  }
}

/** For clients outside, which prove who they are by API key. */
export function publicTls(current: Texts<'cert' | 'key'>): ServerOptions {
  return { ...current, minVersion: 'TLSv1.2', handshakeTimeout: HANDSHAKE_MS }
}

/** Makes an app of `mutualTls` follow its files and take the calls of `callers` alone. */
export function secure(
  app: FastifyInstance,
  o: { credentials: Credentials; callers: ServiceName[]; log: Log },
): void {
  followFiles(app, o.credentials, mutualTls)
  tellFailedHandshakes(app, o.log)
  admitCallers(app, o)
}

/** New connections are made with what the files hold now; those that stand go on as they are. Returns what ends it. */
export function followFiles<Name extends string>(
  app: FastifyInstance,
  watched: Pick<WatchedFiles<Name>, 'current' | 'onChange'>,
  options: (current: Texts<Name>) => ServerOptions,
): () => void {
  return watched.onChange(() => (app.server as Server).setSecureContext(options(watched.current)))
}

/** Says in the log who was sent away at the handshake; whoever sends us noise makes one line in a while. */
export function tellFailedHandshakes(app: FastifyInstance, log: Log): void {
  let quietUntil = 0
  // Node's own listener would hand it to the answer for broken HTTP, and there is no connection to answer on.
  app.server.removeAllListeners('tlsClientError')
  app.server.on('tlsClientError', (thrown: Error, socket: TLSSocket) => {
    const why = socket.authorizationError ? String(socket.authorizationError) : reasonOf(thrown)
    if (performance.now() >= quietUntil) {
      quietUntil = performance.now() + 1_000
      log.warn({ from: socket.remoteAddress, why }, 'a TLS connection was refused')
    }
    socket.destroy()
  })
}

/**
 * Takes requests of our own cluster's services alone, and of those only from `callers`. The certificate says who calls; it has to count at each
 * request, not only when the connection was made.
 */
function admitCallers(
  app: FastifyInstance,
  o: { credentials: Credentials; callers: ServiceName[]; log: Log },
): void {
  const { cluster, service } = o.credentials.self
  app.server.prependListener('secureConnection', (socket: TLSSocket) => {
    const certificate = socket.getPeerX509Certificate()
    const id = spiffeIdIn(certificate?.subjectAltName)
    if (certificate && id?.cluster === cluster) {
      noteCaller(socket, { id, until: Date.parse(certificate.validTo) })
      return
    }
    const who = id ? spiffeText(id) : 'a certificate of no service'
    o.log.warn({ from: socket.remoteAddress, who }, 'a TLS connection was refused')
    socket.destroy()
  })
  app.addHook('onRequest', (req, _reply, next) => {
    const caller = callerOn(req.raw.socket)
    if (!caller) return next(new Refusal(403, 'caller', 'A certificate of a service is needed here.'))
    if (caller.until <= Date.now())
      return next(new Refusal(403, 'caller', `The certificate of ${spiffeText(caller.id)} has ended.`))
    if (o.callers.includes(caller.id.service) || OPEN_TO_ALL.includes(req.routeOptions.url ?? ''))
      return next()
    next(new Refusal(403, 'caller', `${caller.id.service} may not call ${service}.`))
  })
}
