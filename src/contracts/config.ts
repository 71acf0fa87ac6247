import Type, { type Static } from 'typebox'
import { BusConfig } from './bus.ts'
import { FillConfig } from './fill.ts'
import { SERVICES } from './identity.ts'
import { StoreConfig } from './s3.ts'

export const SocketAddress = Type.Object({ socket: Type.String() }, { additionalProperties: false })
export type SocketAddress = Static<typeof SocketAddress>
export const HostAddress = Type.Object(
  { host: Type.String({ minLength: 1 }), port: Type.Integer({ minimum: 0, maximum: 65_535 }) },
  { additionalProperties: false },
)
export type HostAddress = Static<typeof HostAddress>
/** Where a service is reached: a unix socket, or a host and port with mutual TLS. */
export const Address = Type.Union([SocketAddress, HostAddress])
export type Address = Static<typeof Address>

const File = Type.String({
  minLength: 1,
  description: 'path of a PEM file, or `credential:NAME` for one that systemd hands to the unit',
})
/** A certificate, with what it needs of its chain, and its key. Files are read again when they change. */
export const CertificateFiles = Type.Object({ cert: File, key: File }, { additionalProperties: false })
export type CertificateFiles = Static<typeof CertificateFiles>
/** Who a service is to the others: the certificate names `spiffe://CLUSTER/SERVICE` or `spiffe://CLUSTER/SERVICE/NODE`. `ca` is the cluster's. */
export const TlsFiles = Type.Object({ cert: File, key: File, ca: File }, { additionalProperties: false })
export type TlsFiles = Static<typeof TlsFiles>

const Common = {
  /** Addresses of every service, by name: replicas of one service stand in one list, nearest first. */
  services: Type.Record(Type.String(), Type.Array(Address)),
  listen: Address,
  /** Needed as soon as an address is a host and port. */
  tls: Type.Optional(TlsFiles),
  logLevel: Type.Optional(Type.Enum(['debug', 'info', 'warn', 'error'])),
}

export const GatewayConfig = Type.Object({
  ...Common,
  cluster: Type.String(),
  host: Type.String(),
  port: Type.Integer({ minimum: 0, maximum: 65_535 }),
  /** Name of a socket that listens there already, which systemd hands to the unit: it stays while the gateway is started anew. */
  socket: Type.Optional(Type.String({ minLength: 1 })),
  /** What clients see at host and port. Absent: plain HTTP, for one machine. */
  certificate: Type.Optional(CertificateFiles),
})
export const AuthConfig = Type.Object({
  ...Common,
  /** 0600 copy of its sets, answered from while the store is away. */
  stateFolder: Type.String(),
  maxStaleMs: Type.Integer({ minimum: 1000, maximum: 60_000 }),
})
/** A pattern that no answer may show. */
export const Filter = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 64 }),
    pattern: Type.String({ minLength: 1, description: 'regular expression, flags iu' }),
    act: Type.Enum(['block', 'mask']),
  },
  { additionalProperties: false },
)
/** Questions that no worker has room for wait in llm: so many, and for so long. */
export const Queue = Type.Object(
  {
    most: Type.Integer({ minimum: 1, maximum: 10_000, description: 'questions that wait; beyond it 429' }),
    waitSeconds: Type.Integer({ minimum: 1, maximum: 590, description: 'longest wait; then 429' }),
  },
  { additionalProperties: false },
)
export const LlmConfig = Type.Object({
  ...Common,
  queue: Type.Optional(Queue),
  requestLog: Type.String({ description: 'file; rotated' }),
  filters: Type.Array(Filter),
  maxAnswerChars: Type.Integer({ minimum: 1 }),
})
export const TaskConfig = Type.Object({ ...Common })
export const DataConfig = Type.Object({
  ...Common,
  store: StoreConfig,
  /** For a store on disks of the cluster's own. */
  fill: Type.Optional(FillConfig),
  indexFolder: Type.String(),
})
export const ExecutorConfig = Type.Object({
  ...Common,
  slots: Type.Integer({ minimum: 1 }),
  /** Given only where a lock makes it the one executor of that name: then an older boot of it is known to be dead. */
  name: Type.Optional(Type.String({ minLength: 1 })),
})
export const WorkerConfig = Type.Object({
  ...Common,
  name: Type.String(),
  slots: Type.Integer({ minimum: 1 }),
  /** Of its machine, so that models can be placed by them. */
  labels: Type.Optional(Type.Record(Type.String(), Type.String())),
  /** `auto`: an Ollama that answers, else an installed one is started, else extractive. */
  backend: Type.Union([Type.Literal('auto'), Type.Literal('ollama'), Type.Literal('extractive')]),
  ollama: Type.Object({
    url: Type.String(),
    model: Type.Optional(Type.String()),
    models: Type.Optional(
      Type.String({ description: 'folder of its models, readable: they can be handed on to other workers' }),
    ),
    startedElsewhere: Type.Optional(
      Type.Boolean({
        description: 'a unit of its own keeps it, so an Ollama that is installed is never started',
      }),
    ),
  }),
})

export type GatewayConfig = Static<typeof GatewayConfig>
export type AuthConfig = Static<typeof AuthConfig>
export type LlmConfig = Static<typeof LlmConfig>
export type TaskConfig = Static<typeof TaskConfig>
export type DataConfig = Static<typeof DataConfig>
export type ExecutorConfig = Static<typeof ExecutorConfig>
export type WorkerConfig = Static<typeof WorkerConfig>

/** One process runs one or several services: a machine of a cluster one, a one-machine cluster all. */
export const ProcessConfig = Type.Object({
  /** Puts our own documentation into the knowledge base `docs` at start. */
  docs: Type.Optional(Type.Boolean()),
  bus: Type.Optional(BusConfig),
  services: Type.Array(Type.Object({ name: Type.Enum(SERVICES), config: Type.Unknown() })),
})
export type ProcessConfig = Static<typeof ProcessConfig>
