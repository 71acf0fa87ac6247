import { Ajv } from 'ajv'
import type { FastifyInstance } from 'fastify'
import type { Address, ProcessConfig, TlsFiles } from '../contracts/config.ts'
import type { ServiceName } from '../contracts/identity.ts'
import { EXIT, Failure, reasonOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { waitFor } from '../retry.ts'
import type { Bus } from './bus/index.ts'
import { withBusNote } from './bus/note.ts'
import { openBus } from './bus/open.ts'
import { Here } from './here.ts'
import { Verifier } from './identity/verifier.ts'
import { listen } from './listen.ts'
import { jsonLog } from './logging.ts'
import { Metrics } from './metrics.ts'
import { seedDocs } from './seed.ts'
import { buildApp } from './server/app.ts'
import { closeApp } from './server/close.ts'
import { exposeSelf } from './server/self.ts'
import type { Running, Service } from './service.ts'
import { services } from './services/index.ts'
import { type Credentials, openCredentials } from './tls/credentials.ts'
import { mutualTls, secure } from './tls/listen.ts'
import { Calls } from './transport.ts'

/** Longest time that a service may take to finish what runs when it is told to stop. */
const STOP_MS = 25_000
const DOCS_MS = 60_000

/** Runs the services of one process until `signal` fires; returns when they stopped. Start order is the order of the config. */
export async function serve(
  config: ProcessConfig,
  o: { signal: AbortSignal; onHeld?(): void; onReady?(): void },
): Promise<void> {
  const name = `llmagentos ${config.services.map(s => s.name).join(' ')}`
  const bus = await openBus(config.bus, { log: jsonLog({ service: 'bus' }), name })
  const here = new Here()
  const started: Started[] = []
  try {
    for (const entry of config.services) {
      started.push(await start(entry.name, entry.config, { bus, here, first: started.length === 0 }))
      // The first service of a one-machine cluster is data: from here on the store's lock is ours.
      if (started.length === 1) o.onHeld?.()
    }
    if (config.docs) await withDocs(config)
    o.onReady?.()
    await aborted(o.signal)
  } finally {
    // The gateway first: it stops taking requests while what they need still runs.
    for (const service of started.reverse()) await service.stop()
    await bus.close()
  }
}

interface Started {
  stop(): Promise<void>
}

interface CommonConfig {
  services: Record<string, Address[]>
  listen: Address
  tls?: TlsFiles
  logLevel?: string
}

async function start(
  name: ServiceName,
  config: unknown,
  { bus, here, first }: { bus: Bus; here: Here; first: boolean },
): Promise<Started> {
  const service = await load(name)
  const own = checked(service, config)
  const log = jsonLog({ service: name, level: own.logLevel })
  const metrics = new Metrics(name)
  if (first) metrics.withProcess()
  const credentials = own.tls && openCredentials(own.tls, { service: name, log })
  const calls = new Calls(name, own.services, { here, credentials })
  const verifier = new Verifier({ self: name, calls, log })
  const overTls = 'host' in own.listen ? credentials : undefined
  const app = buildApp({ log, metrics, ...(overTls && { tls: mutualTls(overTls.current) }) })
  if (overTls) secure(app, { credentials: overTls, callers: service.callers, log })
  if (service.verifies) verifier.start()
  let running: Running | undefined
  exposeSelf(app, { name, metrics, running: () => running && withBusNote(running, { name, bus }) })
  running = await service.setup(app, {
    config: own,
    log,
    calls,
    metrics,
    bus,
    verifier,
    verify: t => verifier.verify(t),
  })
  await listen(app, own.listen)
  here.add(own.listen, app.local)
  log.info({ listen: own.listen }, `${name} started`)
  return { stop: () => stop({ app, running, calls, verifier, log, credentials }) }
}

/** Our own documentation is the first knowledge base of a cluster, put there as an executor would. The data service may be starting too. */
async function withDocs(config: ProcessConfig): Promise<void> {
  const entry = config.services.find(s => s.name === 'executor') ?? config.services[0]!
  const { services, tls } = entry.config as CommonConfig
  const log = jsonLog({ service: 'seed' })
  const credentials = tls && openCredentials(tls, { service: 'executor', log })
  const calls = new Calls('executor', services, { credentials })
  try {
    await waitFor(
      { says: 'our documentation in the knowledge base', deadlineMs: DOCS_MS, everyMs: 250 },
      () => seedDocs({ calls, log }),
    )
  } finally {
    await calls.close()
    credentials?.close()
  }
}

async function load(name: ServiceName): Promise<Service> {
  const entry = services[name]
  if (!entry) throw new Failure(`There is no service named ${name}.`, { exit: EXIT.usage })
  return entry()
}

function checked(service: Service, config: unknown): CommonConfig {
  const ajv = new Ajv({ allErrors: true })
  if (ajv.validate(service.config, config)) {
    const own = config as CommonConfig
    if (own.tls || ![own.listen, ...Object.values(own.services).flat()].some(at => 'host' in at)) return own
    throw new Failure(`The config of ${service.name} has addresses of other machines, and no \`tls\`.`, {
      exit: EXIT.usage,
      next: 'Give it tls: {cert, key, ca}.',
    })
  }
  throw new Failure(`The config of ${service.name} is not valid.`, {
    exit: EXIT.usage,
    why: ajv.errorsText(ajv.errors, { dataVar: service.name }),
  })
}

async function stop(s: {
  app: FastifyInstance
  running?: Running
  calls: Calls
  verifier: Verifier
  log: Log
  credentials?: Credentials
}): Promise<void> {
  try {
    const closed = closeApp(s.app, STOP_MS)
    await s.running?.stop(STOP_MS)
    await closed
  } catch (thrown) {
    s.log.error({ err: thrown }, `stopping failed: ${reasonOf(thrown)}`)
  }
  s.verifier.stop()
  await s.calls.close()
  s.credentials?.close()
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
}
