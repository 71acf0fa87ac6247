import type { Log } from '../../log.ts'
import { behind } from '../behind.ts'
import type { Metrics } from '../metrics.ts'
import type { Refusal } from '../refusal.ts'

/** Where a service counts and logs the requests it answered. */
export interface Books {
  log: Log
  metrics: Metrics
}

/** One request is answered. The route, never the address: names of objects and what a query holds are the user's. */
export function noteAnswer(
  { log, metrics }: Books,
  o: { requestId: string; method: string; route: string; status: number; ms: number },
): void {
  const { route, status } = o
  behind(() => {
    metrics.requests.observe({ route, status: String(status) }, o.ms / 1000)
    log.debug({ ...o, ms: Math.round(o.ms * 10) / 10 }, 'answered')
  })
}

/** One request failed; only what is not its caller's fault is worth a line. */
export function noteFailure(
  { log }: Books,
  o: { requestId: string; method: string; route: string | undefined; thrown: unknown; refusal: Refusal },
): void {
  const { requestId, refusal } = o
  if (refusal.status >= 500)
    log.error({ requestId, err: o.thrown, status: refusal.status }, `${o.method} ${o.route} failed`)
}
