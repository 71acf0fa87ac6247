import Type, { type Static } from 'typebox'
import { Filter, Queue } from './config.ts'

/** What an operator may set for a one-machine cluster, in `local.json` beside the keys. Everything has a default. */
export const Settings = Type.Object(
  {
    filters: Type.Optional(
      Type.Array(Filter, {
        description: 'patterns that no answer may show; mask replaces the match, block withholds the answer',
      }),
    ),
    maxAnswerChars: Type.Optional(
      Type.Integer({ minimum: 100, description: 'longest answer, in characters' }),
    ),
    executorSlots: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 64, description: 'tasks that run at a time' }),
    ),
    workerSlots: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 256, description: 'answers that are made at a time' }),
    ),
    queue: Type.Optional(Queue),
    revokedWithinMs: Type.Optional(
      Type.Integer({
        minimum: 1000,
        maximum: 60_000,
        description: 'how long a revoked key may still be accepted while auth is away',
      }),
    ),
    logLevel: Type.Optional(Type.Enum(['debug', 'info', 'warn', 'error'])),
  },
  { additionalProperties: false },
)
export type Settings = Static<typeof Settings>
