import { EXIT, Failure } from '../../errors.ts'

/** A read-only question to one node, asked as root. All of a node's questions travel in one script; each has its own deadline there. */
export interface Fact<T> {
  /** One question, one id: what several components ask is asked once. Holds whatever the script was made from. */
  id: string
  /** POSIX sh. Exit code 0 means that the output is the answer, also where the answer is "none"; anything else is unknown. */
  script: string
  deadlineMs: number
  /**
   * Throws where the output is not what was expected: then the answer is unknown. `heardMs` is when the answer came in, by this machine's
   * clock, in milliseconds since the epoch.
   */
  parse(stdout: string, heardMs?: number): T
}

/** Unknown (unreachable, timed out, unparsable) is never absent. */
export type Answer<T> = { known: true; value: T } | { known: false; why: string }

/** What the nodes said, read-only. */
export interface Facts {
  /** Throws UnknownFact: that node's part of the plan stops. */
  get<T>(node: string, fact: Fact<T>): T
  /** For judge(), and for facts that may be unknown. */
  peek<T>(node: string, fact: Fact<T>): Answer<T>
}

/** A plan wanted what a node could not say. */
export class UnknownFact extends Failure {
  readonly node: string

  constructor(node: string, o: { fact: string; why: string }) {
    super(`${node} did not tell ${o.fact}.`, { exit: EXIT.unreachable, why: o.why })
    this.node = node
  }
}
