import Type, { type Static } from 'typebox'
import { route } from './route.ts'

/** Most records of one message between two instances of auth. */
export const MOST_RECORDS = 1_000
const BODY_LIMIT = 8 * 1024 * 1024

/** Records as the store holds them, private signing keys included. */
export const Given = Type.Object({
  records: Type.Array(
    Type.Object({
      name: Type.String({ pattern: '^auth/[a-z]+/[a-z0-9._/-]{1,120}$' }),
      record: Type.Record(Type.String(), Type.Unknown()),
    }),
    { maxItems: MOST_RECORDS },
  ),
  unstored: Type.Array(Type.String(), {
    maxItems: MOST_RECORDS,
    description: 'names of those that the store does not hold yet',
  }),
})
export type Given = Static<typeof Given>

/** Answered once the receiver counts by them and its copy on disk holds them. */
export const giveRecords = route({
  method: 'POST',
  path: '/internal/auth/records',
  says: 'Give another instance of auth new records',
  to: 'auth',
  callers: ['auth'],
  body: Given,
  bodyLimit: BODY_LIMIT,
  replies: { 200: Type.Object({}) },
})

/** Asked each 400 ms. `after` = the version that the asker has; another `boot` = everything from the start. */
export const fetchRecords = route({
  method: 'GET',
  path: '/internal/auth/records',
  says: 'Tell another instance of auth what it has missed',
  to: 'auth',
  callers: ['auth'],
  query: Type.Object({ after: Type.Optional(Type.Integer()), boot: Type.Optional(Type.String()) }),
  replies: {
    200: Type.Intersect([
      Given,
      Type.Object({
        boot: Type.String(),
        version: Type.Integer({ description: 'what the asker has with this answer' }),
        more: Type.Boolean({ description: 'the rest did not fit: ask again at once' }),
      }),
    ]),
  },
})
