import type { KeyInfo, Limits, UserInfo } from '../../../contracts/auth.ts'
import type { Role, Scope } from '../../../contracts/identity.ts'
import type { JWK } from '../../identity/tokens.ts'

/** `auth/key/<id>`, created once. */
export interface KeyRecord {
  id: string
  name: string
  user: string
  /** SHA-256 of the secret, hex. */
  digest: string
  scopes: Scope[]
  models?: string[]
  limits: Limits
  created: string
  expires?: string
  /** Id of the key that asked for it; absent for those that the operator of the machine was given. */
  by?: string
}

/** `auth/user/<name>/<inverted version>`: the newest version counts. */
export interface UserRecord {
  name: string
  role: Role
  version: number
  created: string
  removed?: string
}

/** `auth/revoked/<id>`. */
export interface RevokedRecord {
  id: string
  at: string
  by?: string
}

/** `auth/signing/<n>`. The private half is a secret: it leaves neither the store nor the 0600 copy. */
export interface SigningRecord {
  n: number
  kid: string
  privateJwk: JWK
  publicJwk: JWK
  /** Unix milliseconds: used from then on, published before. */
  from: number
}

/** Every record that auth knows, by name: users, keys, revocations, signing keys. Grow-only, held whole, changed only by `add` and `drop`. */
export class Sets {
  readonly users = new Map<string, UserRecord>()
  readonly keys = new Map<string, KeyRecord>()
  readonly revoked = new Map<string, RevokedRecord>()
  readonly signing = new Map<string, SigningRecord>()
  readonly #keysOf = new Map<string, string[]>()

  /** Takes in one record. Of a user's versions the newest stays. */
  add(name: string, record: unknown): void {
    const [, kind, id] = name.split('/') as [string, string, string]
    if (kind === 'user') {
      const user = record as UserRecord
      if ((this.users.get(id)?.version ?? 0) < user.version) this.users.set(id, user)
    } else if (kind === 'key') {
      const key = record as KeyRecord
      if (!this.keys.has(id)) this.#keysOfUser(key.user).push(id)
      this.keys.set(id, key)
    } else if (kind === 'revoked') this.revoked.set(id, record as RevokedRecord)
    else if (kind === 'signing') this.signing.set(id, record as SigningRecord)
  }

  dropSigning(n: number): void {
    this.signing.delete(names.number(n))
  }

  keysOf(user: string): readonly string[] {
    return this.#keysOfUser(user)
  }

  /** When the key ended by an act of somebody; removing a user revokes all its keys. */
  revokedAt(id: string): string | undefined {
    const key = this.keys.get(id)
    return this.revoked.get(id)?.at ?? (key && this.users.get(key.user)?.removed)
  }

  /** Ids of every key that was ever revoked. */
  allRevoked(): string[] {
    const ids = new Set(this.revoked.keys())
    for (const user of this.users.values())
      if (user.removed) for (const id of this.keysOf(user.name)) ids.add(id)
    return [...ids]
  }

  activeAdmins(): UserRecord[] {
    return [...this.users.values()].filter(u => u.role === 'admin' && !u.removed)
  }

  #keysOfUser(user: string): string[] {
    const ids = this.#keysOf.get(user) ?? []
    this.#keysOf.set(user, ids)
    return ids
  }

  /** As stored, for the copy on disk. */
  entries(): [string, object][] {
    return [
      ...[...this.users.values()].map(u => [names.user(u.name, u.version), u] as [string, object]),
      ...[...this.keys.values()].map(k => [names.key(k.id), k] as [string, object]),
      ...[...this.revoked.values()].map(r => [names.revoked(r.id), r] as [string, object]),
      ...[...this.signing.values()].map(s => [names.signing(s.n), s] as [string, object]),
    ]
  }
}

const MAX_NUMBER = 9_999_999_999

export const names = {
  prefix: 'auth/',
  /** The version is inverted, so that a list finds the newest first. */
  user: (name: string, version: number) => `auth/user/${name}/${names.number(MAX_NUMBER - version)}`,
  key: (id: string) => `auth/key/${id}`,
  revoked: (id: string) => `auth/revoked/${id}`,
  signing: (n: number) => `auth/signing/${names.number(n)}`,
  number: (n: number) => String(n).padStart(10, '0'),
}

export function keyInfo(sets: Sets, key: KeyRecord): KeyInfo {
  const revoked = sets.revokedAt(key.id)
  return {
    id: key.id,
    name: key.name,
    user: key.user,
    scopes: key.scopes,
    ...(key.models && { models: key.models }),
    limits: key.limits,
    created: key.created,
    ...(key.expires && { expires: key.expires }),
    ...(revoked && { revoked }),
  }
}

export const userInfo = (user: UserRecord): UserInfo => ({
  name: user.name,
  role: user.role,
  created: user.created,
  ...(user.removed && { removed: user.removed }),
})
