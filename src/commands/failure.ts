import { EXIT, type ExitCode, Failure, reasonOf } from '../errors.ts'
import type { Io } from './command.ts'

/** Says what went wrong: one shape for people, one JSON line for scripts. Only faults of ours show a stack. */
export function report(thrown: unknown, o: { json: boolean; io: Io }): ExitCode {
  if (thrown instanceof Failure) {
    if (o.json)
      o.io.say(
        JSON.stringify({
          error: { what: thrown.message, why: thrown.why, next: thrown.next, exit: thrown.exit },
        }),
      )
    else o.io.say(lines(thrown).join('\n'))
    return thrown.exit
  }
  const what = `llmagentos failed in a way it should not: ${reasonOf(thrown)}`
  if (o.json) o.io.say(JSON.stringify({ error: { what, exit: EXIT.ours } }))
  else o.io.say([what, thrown instanceof Error ? thrown.stack : ''].filter(Boolean).join('\n'))
  return EXIT.ours
}

function lines(failure: Failure): string[] {
  const out = [`error: ${failure.message}`]
  if (failure.why) out.push(`  why:  ${failure.why.replaceAll('\n', '\n        ')}`)
  if (failure.next) out.push(`  next: ${failure.next}`)
  return out
}
