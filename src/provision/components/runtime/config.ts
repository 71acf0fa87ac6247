import type {
  Address,
  AuthConfig,
  DataConfig,
  ExecutorConfig,
  GatewayConfig,
  LlmConfig,
  ProcessConfig,
  TaskConfig,
  WorkerConfig,
} from '../../../contracts/config.ts'
import { SERVICES, type ServiceName } from '../../../contracts/identity.ts'
import { OLLAMA_URL } from '../../../contracts/ports.ts'
import type { View } from '../component.ts'
import { RUN, STATE } from './places.ts'
import type { Config } from './schema.ts'

/**
 * All services in one process on one node, in the order in which they need each other. They talk over sockets, and the gateway listens on
 * loopback alone: what leaves the machine wants TLS.
 */
export function processConfig({ cluster, config }: View<Config>, node: string): ProcessConfig {
  const at = (name: ServiceName): Address => ({ socket: `${RUN}/${name}.sock` })
  const services = Object.fromEntries(SERVICES.map(name => [name, [at(name)]]))
  const common = (name: ServiceName) => ({ services, listen: at(name) })
  const data: DataConfig = {
    ...common('data'),
    store: { embedded: `${STATE}/store` },
    indexFolder: `${STATE}/index`,
  }
  const auth: AuthConfig = {
    ...common('auth'),
    stateFolder: `${STATE}/auth`,
    maxStaleMs: config.auth.maxStaleMs,
  }
  const worker: WorkerConfig = {
    ...common('worker'),
    name: node,
    slots: 4,
    backend: 'extractive',
    ollama: { url: OLLAMA_URL },
  }
  const llm: LlmConfig = {
    ...common('llm'),
    requestLog: `${STATE}/log/requests.jsonl`,
    filters: [],
    maxAnswerChars: 400_000,
  }
  const task: TaskConfig = common('task')
  // The store lets one process in, so there is one executor of this name.
  const executor: ExecutorConfig = { ...common('executor'), slots: config.executor.slots, name: node }
  const gateway: GatewayConfig = {
    ...common('gateway'),
    cluster: cluster.name,
    host: '127.0.0.1',
    port: cluster.gateway.port,
  }
  const entries = { data, auth, worker, llm, task, executor, gateway }
  return {
    docs: true,
    services: Object.entries(entries).map(([name, own]) => ({ name: name as ServiceName, config: own })),
  }
}
