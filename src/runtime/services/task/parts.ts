import type { Log } from '../../../log.ts'
import type { Bus } from '../../bus/index.ts'
import type { Kind } from '../../kinds/kind.ts'
import type { Records } from '../../records.ts'
import type { Fence } from '../../tasks/fence.ts'
import type { Calls } from '../../transport.ts'

/** What the parts of the task service share. */
export interface Parts {
  records: Records
  fence: Fence
  bus: Bus
  log: Log
  calls: Calls
  kinds: ReadonlyMap<string, Kind>
}

/** Under which name the task service claims an attempt to end it: no executor is called so, and none runs it. */
export const OURSELVES = { executor: 'task-service', boot: '' } as const

/**
 * Runs `act` again and again, `everyMs` after its last end, until stopped; what it throws is logged, for the store may be away. The signal fires
 * at the stop, so that this does not wait for the store.
 */
export function every(
  everyMs: number,
  log: Log,
  says: string,
  act: (signal: AbortSignal) => Promise<void>,
): () => Promise<void> {
  const stop = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let running = Promise.resolve()
  const turn = async () => {
    await act(stop.signal).catch((thrown: unknown) => {
      if (!stop.signal.aborted) log.warn({ err: thrown }, `${says} failed; it is tried again`)
    })
    if (!stop.signal.aborted) plan()
  }
  const plan = () => {
    timer = setTimeout(() => {
      running = turn()
    }, everyMs)
    timer.unref()
  }
  running = turn()
  return async () => {
    stop.abort()
    clearTimeout(timer)
    await running
  }
}
