import { HOP } from '../contracts/hop.ts'
import type { ServiceName } from '../contracts/identity.ts'
import type { Route } from '../contracts/route.ts'
import { codeOf, reasonOf } from '../errors.ts'
import { stopOf } from './cancel.ts'
import type { Hop } from './hop.ts'
import { Refusal } from './refusal.ts'

export function pathOf(
  route: Route,
  params: Record<string, unknown> = {},
  query: Record<string, unknown> = {},
): string {
  const path = route.path
    .replace(/:([A-Za-z]+)/g, (_, name) => encodeURIComponent(String(params[name])))
    .replace(/\*$/, () => String(params['*']).split('/').map(encodeURIComponent).join('/'))
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value))
  const text = search.toString()
  return text ? `${path}?${text}` : path
}

export function hopHeaders(self: ServiceName, hop: Hop): Record<string, string> {
  return {
    [HOP.caller]: self,
    [HOP.requestId]: hop.requestId,
    [HOP.deadline]: String(hop.deadline),
    ...(hop.attempt && { [HOP.attempt]: String(hop.attempt) }),
    ...(hop.token && { authorization: `Bearer ${hop.token}` }),
  }
}

/** There was no connection, or whoever took the request began nothing: another may be asked. */
export const isRefused = (thrown: unknown) =>
  UNSENT.includes(codeOf(thrown) ?? '') || (thrown instanceof Error && unsent.has(thrown))

const UNSENT = ['ECONNREFUSED', 'ENOENT', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT']
const unsent = new WeakSet<Error>()

interface Head {
  status: number
  headers: Record<string, string | string[] | undefined>
}

/** How a service that stops answers what comes on a connection that stands: unread. */
export const isStopping = ({ status, headers }: Head) =>
  status === 503 && headers['connection'] === 'close' && !isUnclear({ headers })

/** A connection broke behind whoever answers. */
export const isUnclear = ({ headers }: Pick<Head, 'headers'>) => headers[HOP.outcomeUnknown] !== undefined

/** How one answers that cannot do anything for its caller yet. */
export const isUnbegun = ({ status, headers }: Head) =>
  status === 503 && headers[HOP.nothingBegun] !== undefined

/** For what has no code that says so: the same error later may mean a connection that broke. */
export function markUnsent<E extends Error>(thrown: E): E {
  unsent.add(thrown)
  return thrown
}

/** What a call throws for what its carrier threw: its own Refusals, the reason of its signal, else that the connection broke. */
export function broken(route: Route, hop: Hop, thrown: unknown): unknown {
  if (thrown instanceof Refusal) return thrown
  const stop = stopOf(hop)
  if (stop.aborted) {
    // Node's timers count from the begin of a turn of the event loop, so after a long one they fire before the clock says so.
    const late = Date.now() >= hop.deadline || isTimeout(stop.reason)
    return late
      ? new Refusal(504, 'deadline', `The ${route.to} service did not answer in time.`, { cause: thrown })
      : thrown
  }
  return new Refusal(503, 'cut', `The connection to the ${route.to} service broke: ${reasonOf(thrown)}.`, {
    cause: thrown,
    retryAfterSeconds: 1,
  })
}

const isTimeout = (reason: unknown) => reason instanceof DOMException && reason.name === 'TimeoutError'
