import Type, { type Static } from 'typebox'
import { Usage } from './ask.ts'
import type { ApiError } from './errors.ts'
import { route } from './route.ts'

export const OUTCOMES = ['done', 'failed', 'dead', 'cancelled', 'expired', 'lost', 'retry'] as const
export type Outcome = (typeof OUTCOMES)[number]
export const FINAL: readonly Outcome[] = ['done', 'failed', 'dead', 'cancelled', 'expired']
export const STATES = ['waiting', 'queued', 'running', ...FINAL] as const
export const TaskState = Type.Enum(STATES)
export type TaskState = Static<typeof TaskState>

export const PRIORITIES = ['high', 'normal', 'low'] as const
export type Priority = (typeof PRIORITIES)[number]

/** What a kind mostly needs; each class has slots and a ready queue of its own. */
export const CLASSES = ['llm', 'cpu', 'sandbox'] as const
export type TaskClass = (typeof CLASSES)[number]

export const TASK_ID = '^[0-9A-HJKMNP-TV-Z]{26}(-[0-9]+)?$'
const Id = Type.Object({ id: Type.String({ pattern: TASK_ID }) })
const Kind = Type.String({ pattern: '^[a-z][a-z0-9-]{0,30}$' })
const Params = Type.Object({}, { additionalProperties: true })

export const SubmitTask = Type.Object(
  {
    /** Plain words; parsed to kind and parameters unless both are given. */
    text: Type.Optional(Type.String({ minLength: 1, maxLength: 100_000 })),
    kind: Type.Optional(Kind),
    params: Type.Optional(Params),
    priority: Type.Optional(Type.Enum(PRIORITIES)),
    /** Seconds from now after which the task is `expired`. */
    expiresInSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 30 * 86_400 })),
    model: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    /** Understand and validate only; nothing is stored. */
    dryRun: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
)
export type SubmitTask = Static<typeof SubmitTask>

/** What plain words were taken for, and by whom: the model (with a JSON schema) or our rules. */
export const Understood = Type.Object({
  kind: Kind,
  params: Params,
  by: Type.Union([Type.Literal('given'), Type.Literal('rules'), Type.Literal('model')]),
  says: Type.String({ description: 'one sentence for people' }),
})
export type Understood = Static<typeof Understood>

export const Task = Type.Object({
  id: Type.String(),
  state: TaskState,
  kind: Kind,
  user: Type.String(),
  says: Type.String(),
  priority: Type.Enum(PRIORITIES),
  attempt: Type.Integer(),
  submitted: Type.String(),
  ended: Type.Optional(Type.String()),
  reason: Type.Optional(Type.String()),
  retryOf: Type.Optional(Type.String()),
  position: Type.Optional(Type.Integer({ description: 'tasks before it, in the fair order' })),
  expectedWaitMs: Type.Optional(Type.Integer()),
  usage: Type.Optional(Usage),
})
export type Task = Static<typeof Task>

export const TaskDetail = Type.Object({
  ...Task.properties,
  params: Params,
  result: Type.Optional(Type.Unknown()),
  attempts: Type.Array(
    Type.Object({
      attempt: Type.Integer(),
      outcome: Type.String(),
      reason: Type.Optional(Type.String()),
      at: Type.String(),
    }),
  ),
})
export type TaskDetail = Static<typeof TaskDetail>

/** With header `idempotency-key`: the same key and body give the same id, another body is 409. 202 follows the stored record. */
export const submitTask = route({
  method: 'POST',
  path: '/api/v1/tasks',
  says: 'Accept a task: 202 means it is stored and reaches exactly one final end',
  to: 'task',
  scope: 'tasks:write',
  body: SubmitTask,
  repeats: 'when keyed',
  replies: { 202: Type.Object({ task: Type.Optional(Task), understood: Understood }) },
})

export const listTasks = route({
  method: 'GET',
  path: '/api/v1/tasks',
  says: 'List your tasks, newest first',
  to: 'task',
  scope: 'tasks:read',
  query: Type.Object({
    state: Type.Optional(TaskState),
    kind: Type.Optional(Kind),
    after: Type.Optional(Type.String()),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
  }),
  replies: { 200: Type.Object({ tasks: Type.Array(Task), next: Type.Optional(Type.String()) }) },
})

export const showTask = route({
  method: 'GET',
  path: '/api/v1/tasks/:id',
  says: 'Show one task with its attempts and its result',
  to: 'task',
  scope: 'tasks:read',
  params: Id,
  replies: { 200: TaskDetail },
})

/** One line of `watch`: the task each time it changes, what its kind says on the way, a beat in each silent second. */
export type WatchFrame =
  | { type: 'task'; task: Task }
  | { type: 'progress'; text: string }
  | { type: 'beat' }
  | ({ type: 'error' } & ApiError)

/** Ends after the line with a final state, or when the stream's time is over: then ask again. */
export const watchTask = route({
  method: 'GET',
  path: '/api/v1/tasks/:id/watch',
  says: 'Follow one task until it ends',
  to: 'task',
  scope: 'tasks:read',
  params: Id,
  streams: 'lines',
  replies: { 200: Type.Unknown() },
})

export const cancelTask = route({
  method: 'POST',
  path: '/api/v1/tasks/:id/cancel',
  says: 'Cancel a task; a final end is for ever',
  to: 'task',
  scope: 'tasks:write',
  params: Id,
  replies: { 200: Task },
})

export const retryTask = route({
  method: 'POST',
  path: '/api/v1/tasks/:id/retry',
  says: 'Submit an ended task again, under a new id',
  to: 'task',
  scope: 'tasks:write',
  params: Id,
  replies: { 202: Type.Object({ task: Task }) },
})

export const listKinds = route({
  method: 'GET',
  path: '/api/v1/kinds',
  says: 'List the kinds of task with their parameters and examples',
  to: 'task',
  scope: 'tasks:read',
  replies: {
    200: Type.Object({
      kinds: Type.Array(
        Type.Object({
          name: Kind,
          summary: Type.String(),
          params: Type.Unknown(),
          examples: Type.Array(Type.String()),
        }),
      ),
    }),
  },
})

const Attempt = Type.Object({ id: Type.String(), attempt: Type.Integer() })

/** Each 5 s and at once after a start: who runs what. The reply names attempts that are sealed: end their children. */
export const executorBeat = route({
  method: 'POST',
  path: '/internal/tasks/beat',
  says: 'Report the attempts that an executor runs',
  to: 'task',
  callers: ['executor'],
  body: Type.Object({
    executor: Type.String(),
    boot: Type.String(),
    slots: Type.Record(Type.String(), Type.Integer(), { description: 'by class' }),
    running: Type.Array(Attempt),
  }),
  replies: { 200: Type.Object({ stop: Type.Array(Attempt) }) },
})
export const EXECUTOR_BEAT_MS = 5_000
