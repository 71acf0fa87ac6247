import { randomUUID } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { anySignal } from '../any-signal.ts'
import { DEFAULT_DEADLINE_MS } from '../contracts/hop.ts'
import type { ServiceName } from '../contracts/identity.ts'
import type { Cancel } from './cancel.ts'

/** What travels with a request from service to service. */
export interface Hop {
  requestId: string
  /** Absolute, Unix milliseconds. */
  deadline: number
  /** The user's identity token; absent when a service acts for itself. */
  token?: string
  /** The service that called; absent at the gateway's public side. */
  caller?: ServiceName
  attempt?: number
  /** Aborted when the caller went away or the deadline passed. */
  signal: AbortSignal
  /** The same without a signal, where the request has it: what runs for each request listens to `stopOf`. */
  cancel?: Cancel
}

/** A hop whose signal is made when somebody reads it. */
export function hopUntil(cancel: Cancel, hop: Omit<Hop, 'signal' | 'cancel'>): Hop {
  const { requestId, deadline, token, caller, attempt } = hop
  return {
    ...{ requestId, deadline, token, caller, attempt, cancel },
    get signal() {
      return cancel.signal
    },
  }
}

/** The same request with something else about it; its signal is not made for that. */
export function hopWith(
  hop: Hop,
  other: Partial<Pick<Hop, 'token' | 'caller' | 'attempt' | 'deadline'>>,
): Hop {
  if (!hop.cancel) return { ...hop, ...other }
  const { requestId, deadline, token, caller, attempt } = hop
  return hopUntil(hop.cancel, { requestId, deadline, token, caller, attempt, ...other })
}

/** For work that no request started. */
export function ownHop(deadlineMs = DEFAULT_DEADLINE_MS, signal?: AbortSignal): Hop {
  const timeout = AbortSignal.timeout(deadlineMs)
  const ends = signal ? anySignal([signal, timeout]) : timeout
  // Many calls at once may be part of it; Node would warn of a leak at the eleventh.
  setMaxListeners(0, ends)
  return { requestId: newRequestId(), deadline: Date.now() + deadlineMs, signal: ends }
}

/** The same request, but in the service's own name: the user's token stays here. */
export const asSelf = (hop: Hop): Hop => hopWith(hop, { token: undefined })

/** The id that a request came with, when it has the form of one; else a new one. */
export const requestIdFrom = (given: unknown) =>
  typeof given === 'string' && /^[\w-]{8,64}$/.test(given) ? given : newRequestId()

/** Node keeps random bytes for many of these ready. */
export const newRequestId = () => randomUUID().replaceAll('-', '')
