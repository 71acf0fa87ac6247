import Type, { type Static } from 'typebox'
import { route } from './route.ts'

export const ServiceStatus = Type.Object({
  name: Type.String(),
  ready: Type.Boolean(),
  notes: Type.Array(Type.String(), { description: 'why not ready, or what the operator should know' }),
})

export const ClusterStatus = Type.Object({
  name: Type.String(),
  version: Type.String(),
  healthy: Type.Boolean(),
  upSeconds: Type.Integer(),
  store: Type.String(),
  engine: Type.String(),
  model: Type.String(),
  auth: Type.Object({ maxStaleMs: Type.Integer() }),
  services: Type.Array(ServiceStatus),
})
export type ClusterStatus = Static<typeof ClusterStatus>

/** Gathered by the gateway from the /ready of every service. */
export const clusterStatus = route({
  method: 'GET',
  path: '/api/v1/status',
  says: 'Say how the cluster is',
  to: 'gateway',
  scope: 'ask',
  replies: { 200: ClusterStatus },
})

/** The body of every service's /ready: 200 when ready, else 503. */
export const Ready = Type.Object({
  service: Type.String(),
  ready: Type.Boolean(),
  notes: Type.Array(Type.String()),
  facts: Type.Record(Type.String(), Type.String()),
})
export type Ready = Static<typeof Ready>
