import { ANSWER_DEADLINE_MS, DEFAULT_DEADLINE_MS } from '../../contracts/hop.ts'
import type { Principal } from '../../contracts/identity.ts'
import type { Route } from '../../contracts/route.ts'
import type { Cancel } from '../cancel.ts'
import { type Hop, hopUntil } from '../hop.ts'
import { Refusal } from '../refusal.ts'

/**
 * Starts the clock of a request that came in: its deadline is what its caller set, but no later than its route allows, and `gone` is aborted
 * then. Throws a Refusal (504) when that moment is past. Call `stop` when the request is over.
 */
export function begin(
  route: Route,
  given: Omit<Hop, 'signal' | 'cancel' | 'deadline'> & { deadline: number | undefined },
  gone: Cancel,
): { hop: Hop; stop(): void } {
  const now = Date.now()
  const usualMs = route.streams || route.upload ? ANSWER_DEADLINE_MS : DEFAULT_DEADLINE_MS
  const latest = now + (route.longestMs ?? usualMs)
  const deadline = given.deadline && given.deadline > 0 ? Math.min(given.deadline, latest) : latest
  if (deadline <= now) throw late()
  const timer = setTimeout(() => gone.abort(late()), deadline - now)
  return { hop: hopUntil(gone, { ...given, deadline }), stop: () => clearTimeout(timer) }
}

/** Who the request is for. Throws a Refusal when its caller, token or scope is not what the route asks for. */
export async function admit(
  route: Route,
  hop: Hop,
  verify: (token: string) => Promise<Principal>,
): Promise<Principal | undefined> {
  if (route.callers && !(hop.caller && route.callers.includes(hop.caller))) {
    throw new Refusal(
      403,
      'caller',
      `${hop.caller ?? 'Whoever calls'} may not call ${route.method} ${route.path}.`,
    )
  }
  if (!route.callers && !hop.token) throw new Refusal(401, 'no_token', 'This needs an identity token.')
  const who = hop.token ? await verify(hop.token) : undefined
  if (route.scope && !who?.scopes.some(s => s === route.scope)) {
    throw noScope(route.scope)
  }
  return who
}

export const noScope = (scope: string) =>
  new Refusal(403, 'scope', `This needs the scope ${scope}, which the key does not have.`, {
    next: 'Ask an admin for a key with it: `llmagentos key create --scope`.',
  })

/** Why a request is aborted whose caller does not wait for it any more. */
export const callerLeft = () => new Refusal(499, 'gone', 'The caller went away.')

const late = () => new Refusal(504, 'deadline', 'The deadline of this request has passed.')
