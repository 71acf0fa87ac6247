import type { TSchema } from 'typebox'
import type { AskAnswer, AskRequest, EmbedAnswer, Passage } from '../../contracts/ask.ts'
import type { putDocument } from '../../contracts/kb.ts'
import type { BodyOf } from '../../contracts/route.ts'
import type { TaskClass } from '../../contracts/tasks.ts'
import type { Log } from '../../log.ts'

/**
 * A kind of task: one file, one line in index.ts. The task service loads it to understand and validate, a child process to run it, so what
 * is heavy is imported inside `run`.
 */
export interface Kind<P = unknown> {
  name: string
  /** One sentence without a full stop, for lists and for the model that reads plain words. */
  summary: string
  params: TSchema
  class: TaskClass
  /** A user's tasks of one key run one at a time, e.g. `kb:<name>`. */
  concurrencyKey?(params: P): string | undefined
  examples: { text: string; params: P }[]
  /**
   * Takes parameters from plain words. `sure`: 1 = its own verb stands there, 0 = only because the kind was named. Undefined: cannot. Runs where
   * every service may run, on up to 100,000 characters of anything: a pattern bounds its blanks (`\s{1,9}`), for `\s+` before a group that also
   * takes blanks costs the square of their number.
   */
  read?(text: string): { sure: number; params: P } | undefined
  /** What it returns is the result: JSON. Throw TaskFailure for what another try cannot mend. */
  run(params: P, tools: Tools): Promise<unknown>
}

/** What a running task may do, always as the user who submitted it. */
export interface Tools {
  id: string
  attempt: number
  /** Aborted when the task was cancelled, its time is over or the attempt was given away. */
  signal: AbortSignal
  log: Log
  progress(text: string): void
  /** Streamed inside, so that a dead worker is noticed; `class` is always `task`. */
  ask(request: AskRequest): Promise<AskAnswer>
  embed(request: { input: string[]; model?: string }): Promise<EmbedAnswer>
  search(request: {
    query: string
    kb?: string[]
    limit?: number
  }): Promise<{ passages: Passage[]; ranking: string; notes: string[] }>
  data: {
    /** An object of the user's, whole. */
    get(name: string): Promise<Buffer>
    /** Stores under `<task id>/<step>`, the same name in every attempt; returns the name. */
    put(step: string, content: Buffer, type?: string): Promise<string>
  }
  putDocument(
    kb: string,
    document: BodyOf<typeof putDocument>,
  ): Promise<{ chunks: number; unchanged: boolean }>
}

/** A clear end: another attempt would fail the same way. */
export class TaskFailure extends Error {
  readonly next?: string

  constructor(message: string, o: { next?: string; cause?: unknown } = {}) {
    super(message, { cause: o.cause })
    this.name = 'TaskFailure'
    this.next = o.next
  }
}
