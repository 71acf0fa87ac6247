import type { ExitCode } from '../errors.ts'

/** Where a command reads and writes. Results go to `print` (stdout), everything else to `say` (stderr). */
export interface Io {
  env: NodeJS.ProcessEnv
  cwd: string
  stdin: NodeJS.ReadableStream & { isTTY?: boolean }
  stdout: NodeJS.WritableStream & { isTTY?: boolean; columns?: number }
  stderr: NodeJS.WritableStream & { isTTY?: boolean }
  /** Aborted by the first Ctrl-C or SIGTERM; the second ends the process at once. */
  signal: AbortSignal
  say(line: string): void
  print(line: string): void
}

export interface Argument {
  name: string
  says: string
  optional?: boolean
  many?: boolean
  choices?: string[]
}

export interface Option {
  /** As commander writes it: `--port <number>`, `-f, --follow`. */
  flag: string
  says: string
  choices?: string[]
  default?: string | boolean | number
  /** Turns the text into the value; throws `bad(...)` with what was expected. */
  parse?(text: string, before: unknown): unknown
}

/** One verb: a value that program.ts turns into a parser entry, so that help and completion load nothing heavy. */
// biome-ignore lint/suspicious/noExplicitAny: each command names the type of its own flags
export interface Command<Flags = any> {
  name: string
  summary: string
  arguments?: Argument[]
  options?: Option[]
  example: string
  /** Shown by `--help` below the example. */
  more?: string
  hidden?: boolean
  run(call: Call<Flags>): Promise<ExitCode | undefined | void>
}

export interface Call<Flags> {
  args: string[]
  flags: Flags
  /** `--output json` or `--json`. */
  json: boolean
  io: Io
}

export interface Noun {
  name: string
  summary: string
  commands: Command[]
}
