import Type, { type Static } from 'typebox'
import { Message, SESSION_ID, Source, Usage } from './ask.ts'
import { route } from './route.ts'

const Id = Type.Object({ id: Type.String({ pattern: SESSION_ID }) })

/** One question and its answer. `saw` is the turn that its asker had read; two turns with one `saw` were asked in parallel. */
export const Turn = Type.Object({
  turn: Type.Integer({ minimum: 1 }),
  saw: Type.Integer({ minimum: 0 }),
  at: Type.String({ description: 'ISO 8601, UTC' }),
  question: Type.String(),
  answer: Type.String(),
  sources: Type.Array(Source),
  engine: Type.String(),
  model: Type.String(),
  usage: Usage,
})
export type Turn = Static<typeof Turn>

export const listSessions = route({
  method: 'GET',
  path: '/api/v1/sessions',
  says: 'List your sessions, newest first',
  to: 'data',
  scope: 'data:read',
  query: Type.Object({
    after: Type.Optional(Type.String()),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
  }),
  replies: {
    200: Type.Object({
      sessions: Type.Array(
        Type.Object({ id: Type.String(), turns: Type.Integer(), last: Type.String(), title: Type.String() }),
      ),
      next: Type.Optional(Type.String()),
    }),
  },
})

export const showSession = route({
  method: 'GET',
  path: '/api/v1/sessions/:id',
  says: 'Show the turns of one session, oldest first',
  to: 'data',
  scope: 'data:read',
  params: Id,
  query: Type.Object({
    after: Type.Optional(Type.Integer({ minimum: 0 })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
    newest: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1000, description: 'only the newest so many' }),
    ),
  }),
  replies: {
    200: Type.Object({ id: Type.String(), turns: Type.Array(Turn), next: Type.Optional(Type.Integer()) }),
  },
})

export const removeSession = route({
  method: 'DELETE',
  path: '/api/v1/sessions/:id',
  says: 'Remove a session and all its turns',
  to: 'data',
  scope: 'data:write',
  params: Id,
  replies: { 200: Type.Object({ removed: Type.Integer({ description: 'turns' }) }) },
})

/** What the next question needs of a session: one LIST of one key and one GET, however long it is. */
export const sessionWindow = route({
  method: 'GET',
  path: '/internal/sessions/:id/window',
  says: 'Give the newest turn number and the window for the next question',
  to: 'data',
  callers: ['llm'],
  params: Id,
  replies: { 200: Type.Object({ turn: Type.Integer(), window: Type.Array(Message) }) },
})

export const appendTurn = route({
  method: 'POST',
  path: '/internal/sessions/:id/turns',
  says: 'Store a turn as the next one; a number taken by a parallel question moves it on',
  to: 'data',
  callers: ['llm'],
  params: Id,
  /** A question of 1 MiB and its answer, whatever JSON makes of their characters. */
  bodyLimit: 8 * 1024 * 1024,
  body: Type.Object({ ...Type.Omit(Turn, ['turn']).properties, window: Type.Array(Message) }),
  replies: { 201: Type.Object({ turn: Type.Integer() }) },
})
