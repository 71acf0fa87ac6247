import type { X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Log } from '../../../log.ts'
import { Refusal } from '../../refusal.ts'
import { isSignedBy } from '../own-ca.ts'

const certificates = new WeakMap<Socket, X509Certificate>()

/** Takes connections under a certificate of the cluster's CA alone; the handshake proved that the key of it is there. */
export function admitMembers(app: FastifyInstance, { ca, log }: { ca: X509Certificate; log: Log }): void {
  app.server.prependListener('secureConnection', (socket: TLSSocket) => {
    const certificate = socket.getPeerX509Certificate()
    if (certificate && isSignedBy(certificate, ca)) {
      certificates.set(socket, certificate)
      return
    }
    log.warn({ from: socket.remoteAddress }, 'a connection without a certificate of the cluster was refused')
    socket.destroy()
  })
}

/** The client certificate behind a request. */
export function certificateOf(req: FastifyRequest): X509Certificate {
  const certificate = certificates.get(req.raw.socket)
  if (certificate) return certificate
  throw new Refusal(403, 'caller', 'A certificate of the cluster is needed here.')
}
