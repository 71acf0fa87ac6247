import Type, { type Static } from 'typebox'

export const SERVICES = ['gateway', 'auth', 'llm', 'task', 'data', 'executor', 'worker'] as const
export type ServiceName = (typeof SERVICES)[number]

/** What a key may do. A key's scopes are a subset of its user's role's. */
export const SCOPES = [
  'ask',
  'models:read',
  'models:write',
  'tasks:read',
  'tasks:write',
  'data:read',
  'data:write',
  'kb:read',
  'kb:write',
  'kb:share',
  'keys',
  'users',
  'status',
] as const
export const Scope = Type.Enum(SCOPES)
export type Scope = (typeof SCOPES)[number]

const VIEWER: Scope[] = ['ask', 'models:read', 'tasks:read', 'data:read', 'kb:read']
const USER: Scope[] = [...VIEWER, 'tasks:write', 'data:write', 'kb:write', 'keys']
const OPERATOR: Scope[] = [...USER, 'kb:share', 'models:write', 'status']

/** Roles from least to most; each holds the scopes of the one before. */
export const ROLE_SCOPES = { viewer: VIEWER, user: USER, operator: OPERATOR, admin: [...SCOPES] } as const
export const ROLES = ['viewer', 'user', 'operator', 'admin'] as const
export type Role = (typeof ROLES)[number]
export const Role = Type.Enum(ROLES)

/** Who a request is from: what an identity token says once it was verified. */
export const Principal = Type.Object({
  user: Type.String(),
  key: Type.String({ description: 'id of the API key' }),
  role: Role,
  scopes: Type.Array(Scope),
  models: Type.Optional(Type.Array(Type.String(), { description: 'the only models this key may use' })),
})
export type Principal = Static<typeof Principal>

/** A user's name: also a path segment in the store, so nothing that a path could misread. */
export const USER_NAME = '^[a-z][a-z0-9._-]{0,62}$'
