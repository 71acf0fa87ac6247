import { setTimeout as sleep } from 'node:timers/promises'
import { anySignal } from './any-signal.ts'
import { EXIT, Failure, reasonOf } from './errors.ts'

/**
 * Repeats `attempt` until it returns something other than undefined. Every wait has a deadline and says what it waits for:
 * past `deadlineMs` it throws a Failure (exit 8) naming `says` and the last error.
 */
export async function waitFor<T>(
  o: { says: string; deadlineMs: number; everyMs?: number; signal?: AbortSignal; next?: string },
  attempt: (signal: AbortSignal) => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const end = performance.now() + o.deadlineMs
  const timeout = AbortSignal.timeout(o.deadlineMs)
  const signal = o.signal ? anySignal([o.signal, timeout]) : timeout
  let last: unknown
  for (;;) {
    o.signal?.throwIfAborted()
    try {
      const value = await attempt(signal)
      if (value !== undefined) return value
    } catch (thrown) {
      if (thrown instanceof Failure) throw thrown
      last = thrown
    }
    if (performance.now() >= end) break
    await sleep(o.everyMs ?? 50, undefined, { signal: o.signal })
  }
  throw new Failure(`Waited ${seconds(o.deadlineMs)} for ${o.says}, in vain.`, {
    exit: EXIT.deadline,
    why: last === undefined ? undefined : reasonOf(last),
    next: o.next,
    cause: last,
  })
}

function seconds(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${Math.round(ms / 100) / 10} s`
}
