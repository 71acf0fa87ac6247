import type { createKey, KeyInfo } from '../../../contracts/auth.ts'
import type { Principal } from '../../../contracts/identity.ts'
import type { BodyOf } from '../../../contracts/route.ts'
import type { Hop } from '../../hop.ts'
import { notFound, Refusal } from '../../refusal.ts'
import { newKeyText } from './key-text.ts'
import type { Ledger } from './ledger.ts'
import { type Grant, grantOf } from './rights.ts'
import { type KeyRecord, keyInfo, names } from './sets.ts'

/** Makes a key; its text is in this answer and nowhere else. */
export async function makeKey(
  ledger: Ledger,
  o: { name: string; user: string; grant: Grant; by?: string },
  hop: Hop,
): Promise<{ key: string; info: KeyInfo }> {
  const { id, text, digest } = newKeyText()
  const record: KeyRecord = {
    id,
    name: o.name,
    user: o.user,
    digest,
    scopes: o.grant.scopes,
    ...(o.grant.models && { models: o.grant.models }),
    limits: o.grant.limits,
    created: new Date().toISOString(),
    ...(o.grant.expires && { expires: new Date(o.grant.expires).toISOString() }),
    ...(o.by && { by: o.by }),
  }
  await ledger.create(names.key(id), record, hop)
  return { key: text, info: keyInfo(ledger.sets, record) }
}

/** A key for oneself, or with scope `users` for another; 403 when it would exceed the key that asks. */
export async function createFor(
  ledger: Ledger,
  who: Principal,
  asked: BodyOf<typeof createKey>,
  hop: Hop,
): Promise<{ key: string; info: KeyInfo }> {
  const name = asked.user ?? who.user
  if (name !== who.user && !who.scopes.includes('users'))
    throw new Refusal(
      403,
      'scope',
      'A key for another user needs the scope users, which this key does not have.',
    )
  const user = ledger.sets.users.get(name)
  if (!user || user.removed) throw notFound(`user ${name}`, '`llmagentos user list` shows who there is.')
  const creator = ledger.sets.keys.get(who.key)!
  const grant = grantOf({
    asked: {
      scopes: asked.scopes,
      models: asked.models,
      limits: asked.limits,
      expires: asked.expiresInSeconds === undefined ? undefined : Date.now() + asked.expiresInSeconds * 1000,
    },
    creator: {
      scopes: who.scopes,
      models: creator.models,
      limits: creator.limits,
      expires: creator.expires ? Date.parse(creator.expires) : undefined,
    },
    role: user.role,
  })
  if ('exceeds' in grant)
    throw new Refusal(403, 'exceeds', grant.exceeds, {
      next: 'Ask for less, or let somebody create it whose key allows it.',
    })
  return makeKey(ledger, { name: asked.name, user: name, grant, by: who.key }, hop)
}

export function listFor(ledger: Ledger, who: Principal): KeyInfo[] {
  const { sets } = ledger
  const keys = who.scopes.includes('users')
    ? [...sets.keys.values()]
    : sets.keysOf(who.user).map(id => sets.keys.get(id)!)
  return keys.map(k => keyInfo(sets, k)).sort((a, b) => (a.created < b.created ? -1 : 1))
}

/** Answers where the revocation is not kept yet; [] = in the store and at a majority. Another user's key is a 404 without scope `users`. */
export async function revokeFor(ledger: Ledger, who: Principal, id: string): Promise<string[]> {
  const key = ledger.sets.keys.get(id)
  if (!key || (key.user !== who.user && !who.scopes.includes('users')))
    throw notFound(`key ${id}`, '`llmagentos key list` shows yours.')
  return ledger.revoke(ledger.sets.revoked.get(id) ?? { id, at: new Date().toISOString(), by: who.key })
}
