import { EXIT, type ExitCode, type Failure } from '../../errors.ts'
import type { Call } from '../command.ts'
import { report } from '../failure.ts'
import type { Outcome } from '../machines/machines.ts'

/** When nodes failed in different ways, the one that says most about the cluster decides. */
const GRAVEST: ExitCode[] = [
  EXIT.interrupted,
  EXIT.unreachable,
  EXIT.usage,
  EXIT.preflight,
  EXIT.deadline,
  EXIT.unhealthy,
]

/** 0 when no node failed; else the gravest of their exit codes. */
export function exitOf(outcomes: Outcome<unknown>[]): ExitCode {
  const codes = outcomes.flatMap(({ failure }) => failure?.exit ?? [])
  return GRAVEST.find(code => codes.includes(code)) ?? codes[0] ?? EXIT.ok
}

/** A node's failure: an event of JSON, or what, why and what to do next. */
export function sayFailure(node: string, failure: Failure, { json, io }: Call<unknown>): void {
  const { message: what, why, next, exit } = failure
  if (json) io.print(JSON.stringify({ event: 'failed', node, what, why, next, exit }))
  else report(failure, { json, io })
}
