import Type, { type Static } from 'typebox'
import { route } from './route.ts'

/** Names are paths of a user's own space: no leading or doubled slash, no `.` or `..` segment (checked in data), at most 512 bytes. */
const Name = Type.Object({ '*': Type.String({ minLength: 1, maxLength: 512 }) })

export const ObjectInfo = Type.Object({
  name: Type.String(),
  version: Type.Integer({ minimum: 1 }),
  bytes: Type.Integer(),
  sha256: Type.String(),
  type: Type.String({ description: 'media type' }),
  created: Type.String(),
})
export type ObjectInfo = Static<typeof ObjectInfo>

/** With header `idempotency-key`: what is sent again under the same key is stored once, and answered as the first time. */
export const putObject = route({
  method: 'PUT',
  path: '/api/v1/objects/*',
  says: 'Store an object; `replace` writes the next version, else an existing name is refused',
  to: 'data',
  scope: 'data:write',
  params: Name,
  query: Type.Object({
    replace: Type.Optional(Type.Boolean()),
    sha256: Type.Optional(Type.String({ pattern: '^[0-9a-f]{64}$' })),
  }),
  upload: { limitBytes: 5 * 1024 ** 3 },
  repeats: 'keyed',
  replies: { 201: ObjectInfo },
})

export const getObject = route({
  method: 'GET',
  path: '/api/v1/objects/*',
  says: 'Read an object, whole or by Range',
  to: 'data',
  scope: 'data:read',
  params: Name,
  query: Type.Object({ version: Type.Optional(Type.Integer({ minimum: 1 })) }),
  streams: 'bytes',
  replies: { 200: Type.Unknown() },
})

export const listObjects = route({
  method: 'GET',
  path: '/api/v1/objects',
  says: 'List your objects by name',
  to: 'data',
  scope: 'data:read',
  query: Type.Object({
    prefix: Type.Optional(Type.String({ maxLength: 512 })),
    after: Type.Optional(Type.String({ maxLength: 512 })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
  }),
  replies: { 200: Type.Object({ objects: Type.Array(ObjectInfo), next: Type.Optional(Type.String()) }) },
})

export const removeObject = route({
  method: 'DELETE',
  path: '/api/v1/objects/*',
  says: 'Remove an object with all its versions',
  to: 'data',
  scope: 'data:write',
  params: Name,
  replies: { 200: Type.Object({ removed: Type.String(), versions: Type.Integer() }) },
})
