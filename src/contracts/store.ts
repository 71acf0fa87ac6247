import Type from 'typebox'
import type { ServiceName } from './identity.ts'
import { route } from './route.ts'

/** System prefixes of the store, and the only services that each is open to (RUNTIME section 4). */
export const PREFIX_OWNERS: Record<string, readonly ServiceName[]> = {
  'auth/': ['auth'],
  'idem/': ['task'],
  'q/': ['task', 'executor'],
  'w/': ['task', 'executor'],
  'h/': ['task', 'executor'],
  'run/': ['executor', 'task'],
  'x/': ['executor', 'task'],
  'blob/': ['executor', 'task'],
  'sched/': ['llm'],
}

const INTERNAL: ServiceName[] = ['auth', 'task', 'executor', 'llm', 'gateway']

/** Record names: printable ASCII segments, so that byte order is name order in every store. */
const Name = Type.Object({ '*': Type.String({ minLength: 1, maxLength: 900, pattern: '^[!-~]+$' }) })

/** One record of a LIST: its name, and its bytes when `values` was asked for. */
export const Listed = Type.Object({
  name: Type.String(),
  value: Type.Optional(Type.String({ description: 'base64' })),
})

/** Body: the record's bytes. 201 created, 412 exists; the reply carries the record's writer, so a repeat knows its own. */
export const createRecord = route({
  method: 'PUT',
  path: '/internal/store/*',
  says: 'Create a record once',
  to: 'data',
  callers: INTERNAL,
  params: Name,
  upload: { limitBytes: 8 * 1024 * 1024 },
  replies: { 201: Type.Object({ writer: Type.String() }), 412: Type.Object({ writer: Type.String() }) },
})

export const getRecord = route({
  method: 'GET',
  path: '/internal/store/*',
  says: 'Read a record',
  to: 'data',
  callers: INTERNAL,
  params: Name,
  streams: 'bytes',
  replies: { 200: Type.Unknown() },
})

export const deleteRecord = route({
  method: 'DELETE',
  path: '/internal/store/*',
  says: 'Delete a record: retention, completion and purge only',
  to: 'data',
  callers: INTERNAL,
  params: Name,
  replies: { 200: Type.Object({}) },
})

export const listRecords = route({
  method: 'GET',
  path: '/internal/store',
  says: 'List records of a prefix in name order',
  to: 'data',
  callers: INTERNAL,
  query: Type.Object({
    prefix: Type.String({ minLength: 1 }),
    after: Type.Optional(Type.String()),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
    values: Type.Optional(Type.Boolean()),
  }),
  replies: {
    200: Type.Object({
      records: Type.Array(Listed),
      more: Type.Optional(Type.Boolean({ description: 'cut short of `limit` because the values are large' })),
    }),
  },
})
