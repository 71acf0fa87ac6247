import {
  AUDIENCES,
  type Exchange,
  type exchangeKey,
  type exchangeTask,
  TOKEN_SECONDS,
} from '../../../contracts/auth.ts'
import type { Principal, Scope } from '../../../contracts/identity.ts'
import type { BodyOf, ReplyOf } from '../../../contracts/route.ts'
import { revokedKey } from '../../identity/verifier.ts'
import { Refusal } from '../../refusal.ts'
import { sameDigest } from './key-text.ts'
import { presentScopes } from './rights.ts'
import type { KeyRecord, Sets } from './sets.ts'
import type { Signer } from './signer.ts'

/** Where the token of a task may be used: whatever its kind calls on the user's behalf. */
const TASK_AUDIENCE = ['llm', 'data', 'task'] as const

/** Trades a key for tokens. Throws a Refusal (401); what is wrong with a key is told only to whoever knows its secret. */
export async function exchange(
  o: { sets: Sets; signer: Signer },
  asked: BodyOf<typeof exchangeKey>,
): Promise<Exchange> {
  const stored = o.sets.keys.get(asked.id)
  if (!sameDigest(stored?.digest, asked.digest) || !stored) throw unknownKey()
  const principal = presentPrincipal(o.sets, stored)
  const expiresAt = tokenEnd(stored)
  const signing = await o.signer.current()
  const tokens = await Promise.all(
    Object.entries(AUDIENCES).map(
      async ([name, audience]) =>
        [name, await o.signer.sign({ signing, principal, audience, expiresAt })] as const,
    ),
  )
  return { principal, limits: stored.limits, tokens: Object.fromEntries(tokens), expiresAt }
}

/** A token for one attempt of a task: rights are those stored with the task, cut by what key and user may today. */
export async function exchangeForTask(
  o: { sets: Sets; signer: Signer },
  asked: BodyOf<typeof exchangeTask>,
): Promise<ReplyOf<typeof exchangeTask>> {
  const stored = o.sets.keys.get(asked.key)
  if (!stored || stored.user !== asked.user) throw unknownKey()
  const present = presentPrincipal(o.sets, stored)
  const scopes = present.scopes.filter(s => asked.scopes.includes(s))
  if (scopes.length === 0)
    throw new Refusal(
      403,
      'no_rights',
      `The key of task ${asked.task} may do nothing of what the task needs.`,
    )
  const expiresAt = tokenEnd(stored)
  const signing = await o.signer.current()
  const token = await o.signer.sign({
    signing,
    principal: { ...present, scopes },
    audience: TASK_AUDIENCE,
    expiresAt,
  })
  return { token, expiresAt }
}

/** Who a key stands for at this moment. Throws a Refusal (401) when it was revoked, has expired, or its user was removed. */
export function presentPrincipal(sets: Sets, key: KeyRecord): Principal {
  const user = sets.users.get(key.user)
  if (!user || user.removed) throw new Refusal(401, 'user_removed', `The user ${key.user} was removed.`)
  if (sets.revokedAt(key.id)) throw revokedKey()
  if (key.expires && Date.parse(key.expires) <= Date.now())
    throw new Refusal(401, 'expired_key', `The API key expired at ${key.expires}.`, {
      next: 'Create another: `llmagentos key create`.',
    })
  const scopes: Scope[] = presentScopes(key.scopes, user.role)
  return { user: user.name, key: key.id, role: user.role, scopes, ...(key.models && { models: key.models }) }
}

const tokenEnd = (key: KeyRecord) =>
  Math.min(
    Date.now() + TOKEN_SECONDS * 1000,
    key.expires ? Date.parse(key.expires) : Number.POSITIVE_INFINITY,
  )

const unknownKey = () =>
  new Refusal(401, 'unknown_key', 'The API key is not known here.', {
    next: 'Check that it was copied whole and belongs to this cluster; `llmagentos cluster list` shows what is saved.',
  })
