import type { FastifyInstance } from 'fastify'
import type { TSchema } from 'typebox'
import type { Principal, ServiceName } from '../contracts/identity.ts'
import type { Log } from '../log.ts'
import type { Bus } from './bus/index.ts'
import type { Verifier } from './identity/verifier.ts'
import type { Metrics } from './metrics.ts'
import type { Calls } from './transport.ts'

/** One of ours. serve.ts adds listening, identity, limits, request id, /healthz, /ready, /metrics and graceful stop. */
export interface Service<C = unknown> {
  name: ServiceName
  /** From contracts/: whoever starts the service writes a config of this shape. */
  config: TSchema
  /** Services whose calls it accepts. */
  callers: ServiceName[]
  /** It checks identity tokens or keys, so it follows auth's feed of revocations. */
  verifies: boolean
  setup(app: FastifyInstance, deps: Deps<C>): Promise<Running>
}

export interface Deps<C> {
  config: C
  log: Log
  calls: Calls
  metrics: Metrics
  bus: Bus
  verifier: Verifier
  /** Verifies an identity token for this service; throws a Refusal (401, or 503 when revocations are not fresh). */
  verify(token: string): Promise<Principal>
}

export interface Running {
  /** What keeps it from serving, in words; [] = ready. */
  ready(): string[]
  /** What an operator should know although it serves. */
  notes?(): string[]
  /** For `cluster status`: the store's kind, the engine, the model. */
  facts?(): Record<string, string>
  /** Ends what runs within `deadlineMs`; no new request comes in any more. */
  stop(deadlineMs: number): Promise<void>
}
