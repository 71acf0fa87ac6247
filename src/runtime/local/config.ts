import { join } from 'node:path'
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
} from '../../contracts/config.ts'
import { SERVICES, type ServiceName } from '../../contracts/identity.ts'
import { OLLAMA_URL, PORTS } from '../../contracts/ports.ts'
import type { Settings } from '../../contracts/settings.ts'
import { LOCAL } from './name.ts'
import type { Paths } from './paths.ts'

/** What `cluster up` was asked for; what it was not stays as it was. */
export interface Asked {
  port?: number
  model?: string
}

/** All services on one machine, each on its unix socket; in the order in which they need each other. */
export function localConfig(
  asked: Asked,
  o: { paths: Paths; env: NodeJS.ProcessEnv; settings: Settings },
): ProcessConfig {
  const { paths, env, settings } = o
  const at = (name: ServiceName): Address => ({ socket: join(paths.run, `${name}.sock`) })
  const services = Object.fromEntries(SERVICES.map(name => [name, [at(name)]]))
  const logLevel = settings.logLevel && { logLevel: settings.logLevel }
  const common = (name: ServiceName) => ({ services, listen: at(name), ...logLevel })

  const data: DataConfig = {
    ...common('data'),
    store: { embedded: join(paths.data, 'store') },
    indexFolder: join(paths.state, 'index'),
  }
  const auth: AuthConfig = {
    ...common('auth'),
    stateFolder: join(paths.state, 'auth'),
    maxStaleMs: settings.revokedWithinMs ?? 1000,
  }
  const worker: WorkerConfig = {
    ...common('worker'),
    name: 'local',
    slots: settings.workerSlots ?? parallel(env),
    backend: 'auto',
    ollama: { url: ollamaUrl(env), ...(asked.model && { model: asked.model }) },
  }
  const llm: LlmConfig = {
    ...common('llm'),
    requestLog: join(paths.state, 'log', 'requests.jsonl'),
    ...(settings.queue && { queue: settings.queue }),
    filters: settings.filters ?? [],
    maxAnswerChars: settings.maxAnswerChars ?? 400_000,
  }
  const task: TaskConfig = common('task')
  // One executor of this name at a time: the lock of the cluster sees to it.
  const executor: ExecutorConfig = {
    ...common('executor'),
    slots: settings.executorSlots ?? 2,
    name: 'local',
  }
  const gateway: GatewayConfig = {
    ...common('gateway'),
    cluster: LOCAL,
    host: '127.0.0.1',
    port: asked.port ?? PORTS.gateway,
  }
  const entries = { data, auth, worker, llm, task, executor, gateway }
  return {
    docs: true,
    services: Object.entries(entries).map(([name, config]) => ({ name: name as ServiceName, config })),
  }
}

/** As many as Ollama itself was told to answer at once; 4 where nobody said so. */
function parallel(env: NodeJS.ProcessEnv): number {
  const given = Number(env.OLLAMA_NUM_PARALLEL)
  return Number.isInteger(given) && given > 0 ? Math.min(given, 1024) : 4
}

/** OLLAMA_HOST as Ollama's own client reads it: host, host:port or URL; an address to listen on everywhere means this machine. */
function ollamaUrl(env: NodeJS.ProcessEnv): string {
  const given = env.OLLAMA_HOST?.trim()
  if (!given) return OLLAMA_URL
  const url = new URL(given.includes('://') ? given : `http://${given}`)
  if (url.hostname === '0.0.0.0') url.hostname = '127.0.0.1'
  if (!url.port && !given.includes('://')) url.port = '11434'
  return url.origin
}
