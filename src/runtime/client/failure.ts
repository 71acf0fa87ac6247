import { EXIT, type ExitCode, Failure, reasonOf } from '../../errors.ts'
import { Refusal } from '../refusal.ts'

/** What a gateway refused, as the command line's failure. Scripts tell from the exit code whose move it is (docs/exit-codes.md). */
export function asFailure(thrown: unknown, signal?: AbortSignal): unknown {
  if (signal?.aborted) return thrown
  if (!(thrown instanceof Refusal)) {
    return new Failure('The connection to the gateway broke.', {
      exit: EXIT.unhealthy,
      why: reasonOf(thrown),
      next: 'Try again; `llmagentos cluster status` says how the cluster is.',
      cause: thrown,
    })
  }
  const wait = thrown.retryAfterSeconds ? `Try again in ${thrown.retryAfterSeconds} s.` : undefined
  return new Failure(thrown.message, {
    exit: exitOf(thrown.status),
    next: thrown.next ?? wait,
    cause: thrown,
  })
}

function exitOf(status: number): ExitCode {
  if (status === 401 || status === 403) return EXIT.unreachable
  if (status === 504 || status === 408) return EXIT.deadline
  if (status === 429 || status === 502 || status === 503 || status === 507) return EXIT.unhealthy
  return status >= 500 ? EXIT.ours : EXIT.usage
}
