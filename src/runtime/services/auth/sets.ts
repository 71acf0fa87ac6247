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

/**
 * `auth/turn/<n>`: the next version of an admin who is removed or demoted. Of several instances one gets each number, and the next is decided
 * upon only by who knows all before it; so no two of them each take the other's last admin.
 */
export interface TurnRecord {
  n: number
  user: UserRecord
}

/**
 * Every record that auth knows, by name: users, keys, revocations, signing keys, turns. Grow-only, held whole, changed only by `add` and
 * `dropSigning`; in whatever order instances take in the same records, they end with the same sets.
 */
export class Sets {
  readonly users = new Map<string, UserRecord>()
  readonly keys = new Map<string, KeyRecord>()
  readonly revoked = new Map<string, RevokedRecord>()
  readonly signing = new Map<string, SigningRecord>()
  readonly turns = new Map<string, TurnRecord>()
  readonly #keysOf = new Map<string, string[]>()

  /** Takes in one record; false when it says nothing new. Of a user's versions the newest stays, of two revocations of a key the earlier. */
  add(name: string, record: unknown): boolean {
    const { kind, id } = names.parts(name)
    if (kind === 'user') {
      const user = record as UserRecord
      if ((this.users.get(id)?.version ?? 0) >= user.version) return false
      this.users.set(id, user)
    } else if (kind === 'key') {
      if (this.keys.has(id)) return false
      const key = record as KeyRecord
      this.#keysOfUser(key.user).push(id)
      this.keys.set(id, key)
    } else if (kind === 'revoked') {
      const known = this.revoked.get(id)
      if (known && orderOf(known) <= orderOf(record as RevokedRecord)) return false
      this.revoked.set(id, record as RevokedRecord)
    } else {
      const map = { signing: this.signing, turn: this.turns }[kind] as Map<string, unknown> | undefined
      if (!map || map.has(id)) return false
      map.set(id, record)
    }
    return true
  }

  /** What is known under that name; of a user the newest version. */
  get(name: string): UserRecord | KeyRecord | RevokedRecord | SigningRecord | TurnRecord | undefined {
    const { kind, id } = names.parts(name)
    const { users: user, keys: key, revoked, signing, turns: turn } = this
    return { user, key, revoked, signing, turn }[kind]?.get(id)
  }

  /** Whether the record of that name, or a later version of the user, is known. */
  has(name: string): boolean {
    const found = this.get(name)
    return found !== undefined && !('version' in found && name < names.user(found.name, found.version))
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

  size(): number {
    return this.users.size + this.keys.size + this.revoked.size + this.signing.size + this.turns.size
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
      ...[...this.turns.values()].map(t => [names.turn(t.n), t] as [string, object]),
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
  turn: (n: number) => `auth/turn/${names.number(n)}`,
  number: (n: number) => String(n).padStart(10, '0'),
  parts(name: string): { kind: Kind; id: string } {
    const [, kind, id] = name.split('/')
    return { kind: kind as Kind, id: id ?? '' }
  },
}

type Kind = 'user' | 'key' | 'revoked' | 'signing' | 'turn'

const orderOf = ({ at, by }: RevokedRecord) => `${at} ${by ?? ''}`

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
