import { isIP } from 'node:net'
import type {
  Address,
  AuthConfig,
  DataConfig,
  ExecutorConfig,
  GatewayConfig,
  HostAddress,
  LlmConfig,
  ProcessConfig,
  TaskConfig,
  WorkerConfig,
} from '../../../contracts/config.ts'
import { FILL_FILE } from '../../../contracts/fill.ts'
import type { ServiceName } from '../../../contracts/identity.ts'
import { OLLAMA_URL, SERVICE_PORTS } from '../../../contracts/ports.ts'
import type { WantedNode } from '../../cluster/cluster.ts'
import { CA_FILE } from '../../secrets/authority.ts'
import { pathsOf } from '../../secrets/certificates/paths.ts'
import type { View } from '../component.ts'
import { busOf } from './bus.ts'
import type { Process } from './layout.ts'
import { EMBEDDED, STORE, stateOf, TLS_COPY } from './places.ts'
import { s3ConfigOf } from './s3.ts'
import type { Config } from './schema.ts'
import type { Store } from './store.ts'

/** Name of the certificate that clients outside see. */
export const PUBLIC = 'gateway-public'

/** What a process on a node reads when it starts. It holds no secret: those come as credentials. */
export function processConfig(
  view: View<Config>,
  { process, node, all, store }: { process: Process; node: WantedNode; all: Process[]; store: Store },
): ProcessConfig {
  const entries = entriesOf(view, { node, store, services: servicesFor(node, all) })
  const bus = busOf(view, process, node)
  return {
    ...(process.services.includes('executor') && process.nodes[0] === node && { docs: true }),
    ...(bus && { bus }),
    services: process.services.map(name => ({ name, config: entries[name] })),
  }
}

function entriesOf(
  view: View<Config>,
  { node, store, services }: { node: WantedNode; store: Store; services: Record<string, Address[]> },
): Record<ServiceName, object> {
  const { cluster, config } = view
  const common = (name: ServiceName) => ({
    services,
    listen: listenOn(node, name),
    tls: { ...filesOf(name), ca: CA_FILE },
  })
  const data: DataConfig = {
    ...common('data'),
    store:
      store.kind === 's3' ? { s3: s3ConfigOf(view, node.name, 'credential:s3') } : { embedded: EMBEDDED },
    ...(store.kind === 's3' && { fill: { file: FILL_FILE } }),
    indexFolder: `${STORE}/index`,
  }
  const auth: AuthConfig = {
    ...common('auth'),
    stateFolder: `${stateOf('auth')}/sets`,
    maxStaleMs: config.auth.maxStaleMs,
  }
  const worker: WorkerConfig = {
    ...common('worker'),
    name: node.name,
    slots: 4,
    ...(Object.keys(node.labels).length > 0 && { labels: node.labels }),
    ...engineOf(view, node),
  }
  const llm: LlmConfig = {
    ...common('llm'),
    requestLog: `${stateOf('llm')}/requests.jsonl`,
    filters: [],
    maxAnswerChars: 400_000,
  }
  const task: TaskConfig = common('task')
  // systemd runs one of each unit, so an older boot of this name is dead.
  const executor: ExecutorConfig = {
    ...common('executor'),
    slots: config.executor.slots,
    name: node.name,
  }
  const gateway: GatewayConfig = {
    ...common('gateway'),
    cluster: cluster.name,
    host: '0.0.0.0',
    port: cluster.gateway.port,
    socket: 'gateway',
    certificate: cluster.gateway.tls
      ? { cert: `${TLS_COPY}/certificate.pem`, key: `${TLS_COPY}/key.pem` }
      : filesOf(PUBLIC),
  }
  return { data, auth, worker, llm, task, executor, gateway }
}

/** Quotes documents until there is a model. Without an Ollama of ours no other is asked: nobody knows what it is. */
function engineOf(view: View<Config>, { name }: WantedNode): Pick<WorkerConfig, 'backend' | 'ollama'> {
  const [found] = view.endpoints('ollama', name)
  if (!found) return { backend: 'extractive', ollama: { url: OLLAMA_URL } }
  const { host, port, folder } = found
  return {
    backend: 'auto',
    ollama: {
      url: `http://${host}:${port}`,
      ...(folder && { models: folder.path }),
      startedElsewhere: true,
    },
  }
}

function filesOf(certificate: string) {
  const { certificate: cert, key } = pathsOf(certificate)
  return { cert, key }
}

/** Every service's replicas, the one on the node itself first. */
const servicesFor = (node: WantedNode, all: Process[]): Record<string, Address[]> =>
  Object.fromEntries(
    all.flatMap(({ services, nodes }) =>
      services.map(name => [
        name,
        nodes
          .toSorted((a, b) => Number(b === node) - Number(a === node))
          .map(({ address }): HostAddress => ({ host: address, port: SERVICE_PORTS[name] })),
      ]),
    ),
  )

/** An address that is a name may mean loopback on the node itself. */
const listenOn = ({ address }: WantedNode, name: ServiceName): HostAddress => ({
  host: isIP(address) ? address : '0.0.0.0',
  port: SERVICE_PORTS[name],
})
