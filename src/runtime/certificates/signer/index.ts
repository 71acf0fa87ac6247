import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { FastifyInstance } from 'fastify'
import { SignerConfig } from '../../../contracts/certificates.ts'
import { listen } from '../../listen.ts'
import { jsonLog } from '../../logging.ts'
import { Metrics } from '../../metrics.ts'
import { buildApp } from '../../server/app.ts'
import { closeApp } from '../../server/close.ts'
import { tellSystemd } from '../../systemd.ts'
import { openCertificate } from '../../tls/credentials.ts'
import { followFiles, mutualTls, tellFailedHandshakes } from '../../tls/listen.ts'
import { readConfig } from '../read-config.ts'
import { admitMembers } from './admit.ts'
import { addRoutes } from './routes.ts'

const STOP_MS = 10_000
const CONNECTIONS = 256

/** Renews certificates of the cluster's nodes until `signal` fires: under the one that is renewed, for what the config says. */
export async function serveSigner(o: {
  file: string
  env: NodeJS.ProcessEnv
  signal: AbortSignal
  onReady?(app: FastifyInstance): void
}): Promise<void> {
  const config = readConfig(o.file, SignerConfig, o.env)
  const log = jsonLog({ service: 'signer' })
  const { cert, key, ca: caFile } = config.tls
  const ca = readFileSync(caFile, 'utf8')
  const own = openCertificate({ cert, key }, log)
  // Whose certificate counts is decided in `admitMembers`: OpenSSL would send away one that is for servers alone.
  const options = (current: { cert: string; key: string }) => ({
    ...mutualTls({ ...current, ca }),
    rejectUnauthorized: false,
  })
  const app = buildApp({ log, metrics: new Metrics('signer'), tls: options(own.current) })
  app.server.maxConnections = CONNECTIONS
  followFiles(app, own, options)
  tellFailedHandshakes(app, log)
  admitMembers(app, { ca: new X509Certificate(ca), log })
  addRoutes(app, { config, log })
  await listen(app, config.listen)
  log.info(
    { listen: config.listen, members: Object.keys(config.members) },
    'the signer of certificates started',
  )
  tellSystemd(o.env)
  o.onReady?.(app)
  await aborted(o.signal)
  await closeApp(app, STOP_MS)
  own.close()
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
}
