import Type, { type Static } from 'typebox'
import { MODEL_DEADLINE_MS } from './hop.ts'
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
  /** What it takes there while it is loaded, and how much of that is memory of graphics cards. */
  memoryBytes: Type.Optional(Type.Integer()),
  vramBytes: Type.Optional(Type.Integer()),
  /** Of those that have it, in whose memory it is. */
  loadedOn: Type.Optional(Type.Array(Type.String())),
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

/** One NDJSON line of a pull. Bytes are those of what `status` names. */
export type PullFrame =
  | { type: 'progress'; worker?: string; status: string; completedBytes?: number; totalBytes?: number }
  /** It is on that worker, `from` another one or from where models are published. */
  | { type: 'placed'; worker: string; from?: string }
  | { type: 'done'; model: string; workers?: string[] }
  | { type: 'error'; error: { code: string; message: string; next?: string } }

export const pullModel = route({
  method: 'POST',
  path: '/api/v1/models/pull',
  says: 'Bring a model to the workers: downloaded once, then from one to the next; progress as NDJSON lines',
  to: 'llm',
  scope: 'models:write',
  body: Type.Object(
    {
      name: Name,
      workers: Type.Optional(
        Type.Integer({ minimum: 1, maximum: 1000, description: 'how many have it in the end; default: all' }),
      ),
      on: Type.Optional(
        Type.Record(Type.String({ maxLength: 63 }), Type.String({ maxLength: 63 }), {
          description: 'only workers on machines with these labels',
          maxProperties: 20,
        }),
      ),
      among: Type.Optional(
        Type.Array(Type.String({ maxLength: 63 }), { description: 'only these workers', maxItems: 10_000 }),
      ),
    },
    { additionalProperties: false },
  ),
  streams: 'lines',
  longestMs: MODEL_DEADLINE_MS,
  replies: { 200: Type.Unknown() },
})

export const removeModel = route({
  method: 'DELETE',
  path: '/api/v1/models/*',
  says: 'Remove a model from the workers, or from all but `keep` of them',
  to: 'llm',
  scope: 'models:write',
  params: Type.Object({ '*': Name }),
  query: Type.Object(
    { keep: Type.Optional(Type.Integer({ minimum: 0, maximum: 1000 })) },
    { additionalProperties: false },
  ),
  replies: { 200: Type.Object({ removed: Type.String(), workers: Type.Array(Type.String()) }) },
})
