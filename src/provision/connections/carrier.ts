import type { Duplex, Readable, Writable } from 'node:stream'
import { EXIT, Failure } from '../../errors.ts'

/** What carries commands to a node: one SSH connection, or this machine's own processes. It never comes back once it is gone. */
export interface Carrier {
  /** Why it can no longer be used. */
  readonly gone: string | undefined
  /** Starts a line of the login shell. Throws Busy when the node opens no more channels, Lost when the connection is gone. */
  start(line: string): Promise<Running>
  open(port: number): Promise<Duplex>
  close(): Promise<void>
}

export interface Running {
  stdin: Writable
  stdout: Readable
  stderr: Readable
  /** Settles when both outputs have ended; `cut` when that is because the connection was lost. Never rejects. */
  ended: Promise<Exit>
  /** Lets go of it, whatever it does. */
  drop(): void
}

export type Exit = { code: number; signal?: string } | { cut: string }

/** The node has as many channels open on this connection as it allows. */
export class Busy extends Error {}

/** The connection went while a command was being started; `sent` when it may have begun. */
export class Lost extends Error {
  readonly sent: boolean

  constructor(why: string, o: { sent: boolean }) {
    super(why)
    this.sent = o.sent
  }
}

/** The machine's identity, or ours, was refused: trying again changes nothing. */
export class Refused extends Failure {}

/** The machine took none of our keys. */
export class LoginRefused extends Refused {}

/** The machine hung up before it said a word. An sshd with too many who have not logged in yet (MaxStartups) does so, and soon no longer. */
export class Dropped extends Failure {}

/** The connection was lost. What ran may have ended, or may still run; nobody here knows. */
export class Cut extends Failure {
  constructor(o: { node: string; ran?: string; why: string }) {
    super(
      o.ran
        ? `The connection to ${o.node} was cut while it ran ${o.ran}; whether that has ended, and how, is unknown.`
        : `The connection to ${o.node} was cut before the command was sent; nothing ran.`,
      {
        exit: EXIT.unreachable,
        why: o.why,
        next: 'Run the same command again: it first looks at what is there.',
      },
    )
    this.name = 'Cut'
  }
}
