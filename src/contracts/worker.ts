import Type, { type Static } from 'typebox'
import { EmbedAnswer, EmbedRequest, type FINISH, Message, Passage, Sampling, type Usage } from './ask.ts'
import { Address } from './config.ts'
import type { ApiError } from './errors.ts'
import { MODEL_DEADLINE_MS } from './hop.ts'
import { Model } from './models.ts'
import { route } from './route.ts'

/** What llm sends a worker. `passages` are also part of `messages` for models that read; the extractive backend quotes from them. */
export const GenerateRequest = Type.Object({
  model: Type.String(),
  messages: Type.Array(Message),
  passages: Type.Array(Passage),
  class: Type.Union([Type.Literal('interactive'), Type.Literal('task')]),
  sampling: Sampling,
})
export type GenerateRequest = Static<typeof GenerateRequest>

/** NDJSON from worker to llm; the last line is `end` or `error`, a stream without one was cut. */
export type WorkerFrame =
  | { type: 'state'; state: 'queued'; position: number }
  | { type: 'state'; state: 'loading'; percent?: number }
  | { type: 'state'; state: 'prefill' }
  | { type: 'text'; text: string }
  | { type: 'beat' }
  | { type: 'end'; finish: (typeof FINISH)[number]; usage: Usage; cites?: number[] }
  | ({ type: 'error' } & ApiError)

const LLM: ['llm'] = ['llm']

export const generate = route({
  method: 'POST',
  path: '/internal/worker/generate',
  says: 'Generate a text, streamed',
  to: 'worker',
  callers: LLM,
  body: GenerateRequest,
  bodyLimit: 16 * 1024 * 1024,
  streams: 'lines',
  replies: { 200: Type.Unknown() },
})

export const workerEmbed = route({
  method: 'POST',
  path: '/internal/worker/embed',
  says: 'Make vectors of texts',
  to: 'worker',
  callers: LLM,
  body: Type.Object({ ...EmbedRequest.properties, model: Type.String() }),
  bodyLimit: 16 * 1024 * 1024,
  replies: { 200: EmbedAnswer },
})

/** What a worker says of itself; every response carries `lastAdmitted`, so a caller counts only its own newer requests. */
export const WorkerState = Type.Object({
  name: Type.String(),
  engine: Type.String(),
  boot: Type.String(),
  seq: Type.Integer(),
  slots: Type.Integer(),
  running: Type.Integer(),
  queued: Type.Integer(),
  models: Type.Array(Model),
  defaultModel: Type.String(),
  /** An Ollama answers there, so it can hold models. */
  holds: Type.Optional(Type.Boolean()),
  /** Room for models, bytes; absent where it cannot see that. */
  freeBytes: Type.Optional(Type.Integer()),
  /** Of its machine. */
  labels: Type.Optional(Type.Record(Type.String(), Type.String())),
  note: Type.Optional(
    Type.String({ description: 'what its operator should know, e.g. why it is not on Ollama' }),
  ),
})
export type WorkerState = Static<typeof WorkerState>

export const workerState = route({
  method: 'GET',
  path: '/internal/worker/state',
  says: 'Stream the state of the worker: on change and each second',
  to: 'worker',
  callers: ['llm'],
  streams: 'lines',
  replies: { 200: WorkerState },
})

export const workerPull = route({
  method: 'POST',
  path: '/internal/worker/models/pull',
  says: 'Download a model, or take it from another worker',
  to: 'worker',
  callers: LLM,
  body: Type.Object({ name: Type.String({ minLength: 1 }), from: Type.Optional(Address) }),
  streams: 'lines',
  longestMs: MODEL_DEADLINE_MS,
  replies: { 200: Type.Unknown() },
})

/** As Ollama's registries describe a model: its layers, by digest. */
export const Manifest = Type.Object({
  config: Type.Object({ digest: Type.String(), size: Type.Integer() }),
  layers: Type.Array(Type.Object({ digest: Type.String(), size: Type.Integer() })),
})
export type Manifest = Static<typeof Manifest>

export const workerManifest = route({
  method: 'GET',
  path: '/internal/worker/manifest/*',
  says: 'What a model consists of, for a worker that takes it over',
  to: 'worker',
  callers: ['worker'],
  params: Type.Object({ '*': Type.String({ minLength: 1 }) }),
  replies: { 200: Manifest },
})

export const workerBlob = route({
  method: 'GET',
  path: '/internal/worker/blobs/:digest',
  says: 'A layer of a model, or the part of it that `range` names',
  to: 'worker',
  callers: ['worker'],
  params: Type.Object({ digest: Type.String({ pattern: '^sha256:[0-9a-f]{64}$' }) }),
  streams: 'bytes',
  longestMs: MODEL_DEADLINE_MS,
  replies: { 200: Type.Unknown() },
})

export const workerRemoveModel = route({
  method: 'DELETE',
  path: '/internal/worker/models/*',
  says: 'Remove a model',
  to: 'worker',
  callers: LLM,
  params: Type.Object({ '*': Type.String({ minLength: 1 }) }),
  replies: { 200: Type.Object({ removed: Type.String() }) },
})
