/** Exit codes of the command line; scripts rely on them, so a meaning never changes. */
export const EXIT = {
  ok: 0,
  ours: 1,
  usage: 2,
  preflight: 3,
  unreachable: 4,
  partial: 5,
  unhealthy: 6,
  locked: 7,
  deadline: 8,
  unsafe: 9,
  changes: 10,
  interrupted: 130,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/**
 * Something the operator can act on: printed as what failed, why, what to do next, without a stack.
 * Whatever else is thrown is a fault of ours and keeps its stack.
 */
export class Failure extends Error {
  readonly exit: ExitCode
  readonly why?: string
  readonly next?: string

  constructor(what: string, o: { exit: ExitCode; why?: string; next?: string; cause?: unknown }) {
    super(what, { cause: o.cause })
    this.name = 'Failure'
    this.exit = o.exit
    this.why = o.why
    this.next = o.next
  }
}

/** The text of anything thrown, for a `why` or a log field; never a stack. */
export function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown)
  const code = (thrown as NodeJS.ErrnoException).code
  return code && !thrown.message.includes(code)
    ? `${thrown.message} (${code})`
    : thrown.message || code || thrown.name
}

export function codeOf(thrown: unknown): string | undefined {
  return thrown instanceof Error ? (thrown as NodeJS.ErrnoException).code : undefined
}
