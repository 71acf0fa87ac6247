import type { FastifyReply, FastifyRequest } from 'fastify'
import type { GatewayConfig } from '../../../contracts/config.ts'
import type { Hop } from '../../hop.ts'
import type { Deps } from '../../service.ts'
import type { Admitted, Keys } from './keys.ts'
import type { Limits } from './limits.ts'
import type { OpenStreams } from './streams.ts'

/** What every public route works with. */
export interface Gate {
  deps: Deps<GatewayConfig>
  keys: Keys
  limits: Limits
  streams: OpenStreams
}

/** One admitted request. */
export interface Entry {
  req: FastifyRequest
  reply: FastifyReply
  hop: Hop
  admitted: Admitted
}

export type Enter = (entry: Entry) => Promise<unknown>
