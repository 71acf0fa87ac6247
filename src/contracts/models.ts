import Type, { type Static } from 'typebox'
import { route } from './route.ts'

export const Model = Type.Object({
  name: Type.String(),
  engine: Type.String(),
  workers: Type.Array(Type.String()),
  bytes: Type.Optional(Type.Integer()),
  digest: Type.Optional(Type.String()),
  family: Type.Optional(Type.String()),
  parameters: Type.Optional(Type.String()),
  contextTokens: Type.Optional(Type.Integer()),
  embeds: Type.Boolean({ description: 'makes vectors, not text' }),
  loaded: Type.Boolean(),
  modified: Type.Optional(Type.String()),
})
export type Model = Static<typeof Model>

const Name = Type.String({ minLength: 1, maxLength: 200, pattern: '^[A-Za-z0-9][A-Za-z0-9._:/-]*$' })

export const listModels = route({
  method: 'GET',
  path: '/api/v1/models',
  says: 'List the models that workers have',
  to: 'llm',
  scope: 'models:read',
  replies: { 200: Type.Object({ models: Type.Array(Model), default: Type.String() }) },
})

/** One NDJSON line of a pull. */
export type PullFrame =
  | { type: 'progress'; status: string; completedBytes?: number; totalBytes?: number }
  | { type: 'done'; model: string }
  | { type: 'error'; error: { code: string; message: string; next?: string } }

export const pullModel = route({
  method: 'POST',
  path: '/api/v1/models/pull',
  says: 'Download a model to the workers; progress as NDJSON lines',
  to: 'llm',
  scope: 'models:write',
  body: Type.Object({ name: Name }, { additionalProperties: false }),
  streams: 'lines',
  replies: { 200: Type.Unknown() },
})

export const removeModel = route({
  method: 'DELETE',
  path: '/api/v1/models/*',
  says: 'Remove a model from the workers',
  to: 'llm',
  scope: 'models:write',
  params: Type.Object({ '*': Name }),
  replies: { 200: Type.Object({ removed: Type.String(), workers: Type.Array(Type.String()) }) },
})
