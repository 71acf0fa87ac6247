import type { FastifyInstance, FastifyListenOptions } from 'fastify'
import { GatewayConfig } from '../../../contracts/config.ts'
import { codeOf, EXIT, Failure } from '../../../errors.ts'
import type { Verifier } from '../../identity/verifier.ts'
import { buildApp } from '../../server/app.ts'
import { closeApp } from '../../server/close.ts'
import type { Service } from '../../service.ts'
import { inheritedSocket } from '../../systemd.ts'
import { openCertificate } from '../../tls/credentials.ts'
import { followFiles, publicTls, tellFailedHandshakes } from '../../tls/listen.ts'
import { Keys } from './keys.ts'
import { Limits } from './limits.ts'
import { forgetHopHeaders } from './outside.ts'
import { addPublicRoutes } from './public.ts'
import { OpenStreams } from './streams.ts'

const BACKLOG = 4096
/** Longest wait for auth before connections are taken that would be refused without it. */
const AUTH_MS = 10_000

/** The only service with a port: knows who asks, how much is left to them, and which service answers. */
export const gateway: Service<GatewayConfig> = {
  name: 'gateway',
  config: GatewayConfig,
  callers: [],
  verifies: true,
  async setup(_internal, deps) {
    const { config, calls, verifier, metrics, log } = deps
    const streams = new OpenStreams(verifier)
    const certificate = config.certificate && openCertificate(config.certificate, log)
    const app = buildApp({
      log,
      metrics,
      front: true,
      ...(certificate && { tls: publicTls(certificate.current) }),
    })
    if (certificate) {
      followFiles(app, certificate, publicTls)
      tellFailedHandshakes(app, log)
    }
    forgetHopHeaders(app)
    await addPublicRoutes(app, { deps, keys: new Keys({ calls, verifier }), limits: new Limits(), streams })
    if (config.socket && calls.peers('auth').length > 0) await knowsWhoIsRevoked(verifier)
    await listen(app, config)
    log.info({ host: config.host, port: config.port }, 'gateway listens')
    return {
      ready: () => verifier.missing(),
      stop: async deadlineMs => {
        const closed = closeApp(app, deadlineMs)
        await streams.drain(deadlineMs)
        await closed
        certificate?.close()
      },
    }
  },
}

/** Whoever comes before that waits at the socket, or goes to another gateway, instead of being refused. */
async function knowsWhoIsRevoked(verifier: Verifier): Promise<void> {
  const end = performance.now() + AUTH_MS
  while (!verifier.isFresh() && performance.now() < end) await verifier.fresh().catch(() => undefined)
}

async function listen(app: FastifyInstance, { host, port, socket }: GatewayConfig): Promise<void> {
  if (socket) return listenOn(app, host, inheritedSocket(socket))
  try {
    await app.listen({ host, port })
  } catch (thrown) {
    if (codeOf(thrown) !== 'EADDRINUSE') throw thrown
    throw new Failure(`Port ${port} of ${host} is taken by another program.`, {
      exit: EXIT.preflight,
      next: `Choose another one: llmagentos cluster up --port ${port + 1}`,
    })
  }
}

/** Connections that come while nobody takes them wait there, up to the backlog. The types of fastify do not know `fd`, which it hands on to Node. */
async function listenOn(app: FastifyInstance, host: string, fd: number): Promise<void> {
  await app.listen({ host, fd, backlog: BACKLOG } as FastifyListenOptions)
}
