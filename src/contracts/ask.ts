import Type, { type Static } from 'typebox'
import type { ApiError } from './errors.ts'
import { route } from './route.ts'

export const Message = Type.Object({
  role: Type.Union([Type.Literal('system'), Type.Literal('user'), Type.Literal('assistant')]),
  content: Type.String(),
})
export type Message = Static<typeof Message>

export const Sampling = Type.Object(
  {
    maxTokens: Type.Optional(Type.Integer({ minimum: 1, maximum: 131_072 })),
    temperature: Type.Optional(Type.Number({ minimum: 0, maximum: 2 })),
    topP: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
    stop: Type.Optional(Type.Array(Type.String({ maxLength: 200 }), { maxItems: 8 })),
    seed: Type.Optional(Type.Integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER })),
    /** `json` or a JSON schema that the answer must fit. */
    format: Type.Optional(
      Type.Union([Type.Literal('json'), Type.Object({}, { additionalProperties: true })]),
    ),
  },
  { additionalProperties: false },
)
export type Sampling = Static<typeof Sampling>

export const KB_NAME = '^[a-z0-9][a-z0-9-]{0,39}$'
export const SESSION_ID = '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'

/** `question` answers from knowledge; `messages` are used as they are, and only the extractive engine adds knowledge to them. */
export const AskRequest = Type.Object(
  {
    question: Type.Optional(Type.String({ minLength: 1 })),
    messages: Type.Optional(Type.Array(Message, { minItems: 1, maxItems: 1000 })),
    /** A text to answer from, given with the question. */
    material: Type.Optional(Type.String({ maxLength: 1_000_000 })),
    session: Type.Optional(Type.String({ pattern: SESSION_ID })),
    kb: Type.Optional(
      Type.Array(Type.String({ pattern: KB_NAME }), {
        maxItems: 16,
        description: 'knowledge bases; [] = none; absent = all that the user may read',
      }),
    ),
    model: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    stream: Type.Optional(Type.Boolean({ description: 'NDJSON frames instead of one document' })),
    /** Interactive before task: RUNTIME "classes". Only services may say `task`. */
    class: Type.Optional(Type.Union([Type.Literal('interactive'), Type.Literal('task')])),
    sampling: Type.Optional(Sampling),
  },
  { additionalProperties: false },
)
export type AskRequest = Static<typeof AskRequest>

/** Where a passage stands: line (text, Markdown) or page (PDF), counted from 1. */
export const Position = Type.Object({
  line: Type.Optional(Type.Integer()),
  page: Type.Optional(Type.Integer()),
  heading: Type.Optional(Type.String()),
})

export const Passage = Type.Object({
  kb: Type.String(),
  document: Type.String({ description: 'id of the document within the kb: its path or name' }),
  title: Type.String(),
  position: Position,
  text: Type.String(),
  score: Type.Number(),
})
export type Passage = Static<typeof Passage>

/** A passage as an answer cites it: `n` is the number in the text, as in [1]. */
export const Source = Type.Object({ n: Type.Integer(), ...Type.Omit(Passage, ['text']).properties })
export type Source = Static<typeof Source>

export const Usage = Type.Object({ promptTokens: Type.Integer(), completionTokens: Type.Integer() })
export type Usage = Static<typeof Usage>

/** Milliseconds spent; `total` from the first byte in llm to the last byte out. */
export const Timings = Type.Object({
  inputMs: Type.Number(),
  contextMs: Type.Number(),
  firstTokenMs: Type.Number(),
  inferenceMs: Type.Number(),
  outputMs: Type.Number(),
  totalMs: Type.Number(),
})
export type Timings = Static<typeof Timings>

export const FINISH = ['stop', 'length', 'filtered'] as const
export const AskAnswer = Type.Object({
  id: Type.String(),
  answer: Type.String(),
  sources: Type.Array(Source),
  engine: Type.String({ description: 'what made the text: extractive or ollama' }),
  model: Type.String(),
  worker: Type.String(),
  finish: Type.Enum(FINISH),
  usage: Usage,
  timings: Timings,
  notes: Type.Optional(
    Type.Array(Type.String(), {
      description: 'such as: answered without knowledge, which cannot be reached',
    }),
  ),
  session: Type.Optional(Type.String()),
  stored: Type.Optional(Type.Boolean({ description: 'false: the turn is kept later, the store was slow' })),
})
export type AskAnswer = Static<typeof AskAnswer>

/** One line of a streamed answer, between services and to the client alike. */
export type Frame =
  | { type: 'state'; state: 'queued'; position: number }
  | { type: 'state'; state: 'loading'; percent?: number }
  | { type: 'state'; state: 'prefill' }
  | { type: 'sources'; sources: Source[] }
  | { type: 'text'; text: string }
  | { type: 'beat' }
  | { type: 'done'; answer: AskAnswer }
  | ({ type: 'error' } & ApiError)

export const ask = route({
  method: 'POST',
  path: '/api/v1/ask',
  says: 'Answer a question, with sources; streamed as NDJSON frames when `stream` is true',
  to: 'llm',
  scope: 'ask',
  body: AskRequest,
  repeats: 'sessionless',
  streams: 'lines',
  replies: { 200: AskAnswer },
})

export const EmbedRequest = Type.Object(
  {
    model: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    input: Type.Array(Type.String(), { minItems: 1, maxItems: 512 }),
  },
  { additionalProperties: false },
)
export const EmbedAnswer = Type.Object({
  model: Type.String(),
  /** Tells two models of one name apart: vectors of different digests cannot be compared. */
  digest: Type.Optional(Type.String()),
  vectors: Type.Array(Type.Array(Type.Number())),
  usage: Usage,
})
export type EmbedAnswer = Static<typeof EmbedAnswer>

export const embed = route({
  method: 'POST',
  path: '/api/v1/embed',
  says: 'Turn texts into vectors, where a worker has an embedding model',
  to: 'llm',
  scope: 'ask',
  body: EmbedRequest,
  repeats: 'always',
  bodyLimit: 8 * 1024 * 1024,
  replies: { 200: EmbedAnswer },
})
