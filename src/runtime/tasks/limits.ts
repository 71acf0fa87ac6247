import type { EndRecord, TaskRecord, Tries } from './records.ts'

/** How many attempts may end in each way before the task does. */
export const LIMITS: Tries = { crashed: 3, errors: 3, lost: 10 }

const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 60_000

/**
 * The end of an attempt that did not reach one of its own: another try while the limit of its cause allows, else `dead` (crashed, lost) or
 * `failed` (errors).
 */
export function unfinished(
  task: TaskRecord,
  o: { counts: keyof Tries; reason: string; now: number; afterMs?: number } & Pick<
    EndRecord,
    'usage' | 'ran'
  >,
): EndRecord {
  const { counts, reason, now, afterMs, ...rest } = o
  const times = task.tries[counts] + 1
  const end = { at: now, counts, ...rest }
  if (times >= LIMITS[counts])
    return {
      ...end,
      outcome: counts === 'errors' ? 'failed' : 'dead',
      reason: `${reason}; that was ${times} times`,
    }
  // A lost attempt was nobody's fault, so its task goes on at once.
  if (counts === 'lost') return { ...end, outcome: 'lost', reason }
  const pause = Math.max(afterMs ?? 0, Math.min(FIRST_PAUSE_MS * 4 ** (times - 1), LONGEST_PAUSE_MS))
  return { ...end, outcome: 'retry', reason, again: now + pause }
}

/** The record of the next attempt. It follows from the two records alone, so everyone who completes writes the same. */
export function nextAttempt(task: TaskRecord, end: EndRecord): TaskRecord {
  const { notBefore: _, ...rest } = task
  const tries = end.counts ? { ...task.tries, [end.counts]: task.tries[end.counts] + 1 } : task.tries
  return {
    ...rest,
    attempt: task.attempt + 1,
    tries,
    ...(end.again !== undefined && { notBefore: end.again }),
  }
}
