import type { Limits } from '../../../contracts/auth.ts'
import { ROLE_SCOPES, type Role, type Scope } from '../../../contracts/identity.ts'

/** What a key is made with: the most that it will ever allow. */
export interface Grant {
  scopes: Scope[]
  models?: string[]
  limits: Limits
  /** Unix milliseconds. */
  expires?: number
}

/** What a key may do today: what was stored with it, cut by the present role of its user. */
export const presentScopes = (stored: readonly Scope[], role: Role): Scope[] =>
  stored.filter(s => (ROLE_SCOPES[role] as readonly Scope[]).includes(s))

/**
 * The grant of a new key: what was asked for, or else all that is possible. A key never exceeds the one that creates it, nor the role of
 * its user; answers with the sentence of what does.
 */
export function grantOf(o: {
  asked: { scopes?: Scope[]; models?: string[]; limits?: Limits; expires?: number }
  creator: Grant
  role: Role
}): Grant | { exceeds: string } {
  const possible = presentScopes(o.creator.scopes, o.role)
  const scopes = o.asked.scopes ?? possible
  const beyondRole = scopes.filter(s => !(ROLE_SCOPES[o.role] as readonly Scope[]).includes(s))
  if (beyondRole.length > 0)
    return { exceeds: `The role ${o.role} does not include ${beyondRole.join(', ')}.` }
  const beyond = scopes.filter(s => !possible.includes(s))
  if (beyond.length > 0) return { exceeds: `The key that asks does not have ${beyond.join(', ')} itself.` }
  if (scopes.length === 0) return { exceeds: 'The new key could do nothing at all.' }

  const models = o.asked.models ?? o.creator.models
  const foreign = o.creator.models && models?.filter(m => !o.creator.models?.includes(m))
  if (foreign && foreign.length > 0)
    return { exceeds: `The key that asks may not use ${foreign.join(', ')} itself.` }

  const expires = o.asked.expires ?? o.creator.expires
  if (o.creator.expires !== undefined && expires! > o.creator.expires)
    return { exceeds: `The key that asks expires sooner: ${new Date(o.creator.expires).toISOString()}.` }

  const limits = { ...o.creator.limits, ...o.asked.limits }
  for (const name of ['requestsPerMinute', 'tokensPerMinute'] as const) {
    const most = o.creator.limits[name]
    if (most !== undefined && limits[name]! > most)
      return { exceeds: `The key that asks has a lower limit itself: ${name} ${most}.` }
  }
  return { scopes: [...scopes], limits, ...(models && { models: [...models] }), ...(expires && { expires }) }
}
