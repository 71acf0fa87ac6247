import Type, { type Static } from 'typebox'
import { Principal, Role, Scope, USER_NAME } from './identity.ts'
import { route } from './route.ts'

/** `lao_<id>_<secret>`: 16 characters of id to find it by, 43 of secret (256 bit, base64url). Only the secret's SHA-256 is stored. */
export const KEY_PATTERN = /^lao_([a-z0-9]{16})_([A-Za-z0-9_-]{43})$/

export const Limits = Type.Object({
  requestsPerMinute: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
  tokensPerMinute: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000_000 })),
})
export type Limits = Static<typeof Limits>

export const KeyInfo = Type.Object({
  id: Type.String(),
  name: Type.String(),
  user: Type.String(),
  scopes: Type.Array(Scope),
  models: Type.Optional(Type.Array(Type.String())),
  limits: Limits,
  created: Type.String(),
  expires: Type.Optional(Type.String()),
  revoked: Type.Optional(Type.String()),
})
export type KeyInfo = Static<typeof KeyInfo>

export const UserInfo = Type.Object({
  name: Type.String(),
  role: Role,
  created: Type.String(),
  removed: Type.Optional(Type.String()),
})
export type UserInfo = Static<typeof UserInfo>

export const KEY_ID = '^[a-z0-9]{16}$'
const KeyId = Type.Object({ id: Type.String({ pattern: KEY_ID }) })
/** No control characters: names are printed on terminals. */
export const KEY_NAME = '^[^\\u0000-\\u001f\\u007f-\\u009f]+$'
const KeyName = Type.String({ minLength: 1, maxLength: 64, pattern: KEY_NAME })
const UserName = Type.Object({ name: Type.String({ pattern: USER_NAME }) })

export const createKey = route({
  method: 'POST',
  path: '/api/v1/keys',
  says: 'Create an API key; its text is shown this once',
  to: 'auth',
  scope: 'keys',
  body: Type.Object(
    {
      name: KeyName,
      user: Type.Optional(
        Type.String({ pattern: USER_NAME, description: 'another user: needs scope `users`' }),
      ),
      scopes: Type.Optional(Type.Array(Scope, { minItems: 1, uniqueItems: true })),
      models: Type.Optional(Type.Array(Type.String({ minLength: 1 }), { minItems: 1 })),
      limits: Type.Optional(Limits),
      expiresInSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 10 * 365 * 86_400 })),
    },
    { additionalProperties: false },
  ),
  replies: { 201: Type.Object({ key: Type.String(), info: KeyInfo }) },
})

export const listKeys = route({
  method: 'GET',
  path: '/api/v1/keys',
  says: 'List your keys; all of them with scope `users`',
  to: 'auth',
  scope: 'keys',
  replies: { 200: Type.Object({ keys: Type.Array(KeyInfo) }) },
})

export const revokeKey = route({
  method: 'DELETE',
  path: '/api/v1/keys/:id',
  says: 'Revoke a key: refused everywhere within a second',
  to: 'auth',
  scope: 'keys',
  params: KeyId,
  replies: {
    200: Type.Object({ revoked: Type.String() }),
    202: Type.Object({
      revoked: Type.String(),
      missing: Type.Optional(
        Type.Array(Type.String(), {
          description: 'it counts, but is not kept here yet: the store, instances of auth',
        }),
      ),
    }),
  },
})

export const createUser = route({
  method: 'POST',
  path: '/api/v1/users',
  says: 'Create a user',
  to: 'auth',
  scope: 'users',
  body: Type.Object(
    { name: Type.String({ pattern: USER_NAME }), role: Role },
    { additionalProperties: false },
  ),
  replies: { 201: UserInfo },
})

export const listUsers = route({
  method: 'GET',
  path: '/api/v1/users',
  says: 'List users',
  to: 'auth',
  scope: 'users',
  replies: { 200: Type.Object({ users: Type.Array(UserInfo) }) },
})

export const setRole = route({
  method: 'PUT',
  path: '/api/v1/users/:name/role',
  says: 'Change the role of a user',
  to: 'auth',
  scope: 'users',
  params: UserName,
  body: Type.Object({ role: Role }, { additionalProperties: false }),
  replies: { 200: UserInfo },
})

export const removeUser = route({
  method: 'DELETE',
  path: '/api/v1/users/:name',
  says: 'Remove a user and revoke all its keys; what it stored stays',
  to: 'auth',
  scope: 'users',
  params: UserName,
  replies: {
    200: Type.Object({ removed: Type.String(), keys: Type.Integer() }),
    202: Type.Object({
      removed: Type.String(),
      keys: Type.Integer(),
      missing: Type.Optional(
        Type.Array(Type.String(), {
          description: 'it is stored, but these instances may not know of it yet',
        }),
      ),
    }),
  },
})

export const whoami = route({
  method: 'GET',
  path: '/api/v1/whoami',
  says: 'Say who the key belongs to and what it may do',
  to: 'auth',
  replies: { 200: Principal },
})

/** Where a token may be used: what the gateway calls, and what that calls on the user's behalf. */
export const AUDIENCES = {
  llm: ['llm', 'data'],
  task: ['task', 'data'],
  data: ['data'],
  auth: ['auth'],
} as const
export type Audience = keyof typeof AUDIENCES
/** Seconds an identity token lives. */
export const TOKEN_SECONDS = 60

export const Exchange = Type.Object({
  principal: Principal,
  limits: Limits,
  /** One token per `Audience`. */
  tokens: Type.Record(Type.String(), Type.String()),
  expiresAt: Type.Integer({ description: 'Unix milliseconds: the earlier of the tokens and the key' }),
})
export type Exchange = Static<typeof Exchange>

/** The gateway sends the SHA-256 of the secret, never the key itself. 401 when unknown, expired or revoked. */
export const exchangeKey = route({
  method: 'POST',
  path: '/internal/auth/exchange',
  says: 'Trade a key for identity tokens',
  to: 'auth',
  callers: ['gateway'],
  body: Type.Object({ id: Type.String(), digest: Type.String({ description: 'hex' }) }),
  replies: { 200: Exchange },
})

/**
 * A key for the operator of the machine, who alone can call as auth: the first one of a fresh cluster, and another when the file with it was
 * lost. Makes the user `admin` when nobody exists yet. Not for the gateway: whoever breaks into one would make himself admin.
 */
export const bootstrapKey = route({
  method: 'POST',
  path: '/internal/auth/bootstrap',
  says: 'Give the operator of the machine an admin key',
  to: 'auth',
  callers: ['auth'],
  body: Type.Object({ name: KeyName }, { additionalProperties: false }),
  replies: { 201: Type.Object({ key: Type.String(), info: KeyInfo }) },
})

/** For work that outlives a token: rights = what was stored with it, cut by what the key and user may today. */
export const exchangeTask = route({
  method: 'POST',
  path: '/internal/auth/task-token',
  says: 'Give an executor a token for the user of one task attempt',
  to: 'auth',
  callers: ['executor', 'task'],
  body: Type.Object({
    task: Type.String(),
    attempt: Type.Integer(),
    user: Type.String(),
    key: Type.String(),
    scopes: Type.Array(Scope),
  }),
  replies: { 200: Type.Object({ token: Type.String(), expiresAt: Type.Integer() }) },
})

export const jwks = route({
  method: 'GET',
  path: '/internal/auth/jwks',
  says: 'Publish the public halves of the signing keys',
  to: 'auth',
  callers: ['gateway', 'llm', 'task', 'data', 'executor'],
  replies: { 200: Type.Object({ keys: Type.Array(Type.Record(Type.String(), Type.Unknown())) }) },
})

/** Polled each 400 ms by every verifier. `after` = the version it knows; another `boot` = forget and start over. */
export const feed = route({
  method: 'GET',
  path: '/internal/auth/feed',
  says: 'Tell verifiers which keys were revoked or changed',
  to: 'auth',
  callers: ['gateway', 'llm', 'task', 'data', 'executor'],
  query: Type.Object({ after: Type.Optional(Type.Integer()), boot: Type.Optional(Type.String()) }),
  replies: {
    200: Type.Object({
      boot: Type.String(),
      version: Type.Integer(),
      revoked: Type.Array(Type.String()),
      changed: Type.Array(Type.String(), {
        description: 'keys whose rights or limits are other than before: exchange again',
      }),
      maxStaleMs: Type.Integer(),
    }),
  },
})
export const FEED_POLL_MS = 400
