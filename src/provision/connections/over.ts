import { randomBytes } from 'node:crypto'
import { constants } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { EXIT, Failure } from '../../errors.ts'
import type { Secret } from '../../secret.ts'
import { Busy, type Carrier, Cut, type Exit, Lost, type Running } from './carrier.ts'
import { commandLine, killing } from './command.ts'
import type { Connection, Ended, Exec, Source, Text, Write } from './connection.ts'
import { feed } from './feed.ts'
import { readFile, writeFile } from './files.ts'
import { Gate } from './gate.ts'
import { HeadAndTail, Lines } from './output.ts'
import { shown } from './quote.ts'
import { type AskPassword, Sudo } from './sudo.ts'

export interface Over {
  node: string
  /** Who logs in there. */
  user: string
  /** `again` after a cut: then a node that does not answer yet is waited for. */
  connect(o: { again: boolean }): Promise<Carrier>
  sudoPassword?: AskPassword
}

/** What one run of a command hands out, raw. */
export interface Raw extends Omit<Exec, 'keepBytes' | 'onLine'> {
  onData(chunk: Buffer, from: 'stdout' | 'stderr'): void
}

// sshd allows 10 sessions on a connection; two are kept for ending commands.
const CHANNELS = 8
const KEEP_BYTES = 1024 * 1024
const STARTS = 3
const KILL_MS = 10_000
const END_MS = 5_000

/** A Connection over whatever carries it. */
export class ConnectionOver implements Connection {
  readonly node: string
  readonly #o: Over
  readonly #gate = new Gate(CHANNELS)
  #carrier: Promise<Carrier> | undefined
  #wasUp = false
  #password: Promise<Secret | undefined> | undefined

  constructor(o: Over) {
    this.node = o.node
    this.#o = o
  }

  async exec(argv: string[], o: Exec): Promise<Ended> {
    const kept = {
      stdout: new HeadAndTail(o.keepBytes ?? KEEP_BYTES),
      stderr: new HeadAndTail(o.keepBytes ?? KEEP_BYTES),
    }
    const { onLine } = o
    const lines = onLine && {
      stdout: new Lines(line => onLine(line, 'stdout')),
      stderr: new Lines(line => onLine(line, 'stderr')),
    }
    const exit = await this.run(argv, {
      ...o,
      onData(chunk, from) {
        kept[from].push(chunk)
        lines?.[from].push(chunk)
      },
    })
    lines?.stdout.end()
    lines?.stderr.end()
    return { ...exit, stdout: kept.stdout.text(), stderr: kept.stderr.text() }
  }

  read(path: string, o: { root?: boolean; signal?: AbortSignal } = {}): Promise<Buffer | undefined> {
    return readFile(this, path, o)
  }

  write(path: string, body: Text | Buffer | Source, o: Write): Promise<void> {
    return writeFile(this, path, body, o)
  }

  async open(port: number) {
    return (await this.#connected()).open(port)
  }

  async close(): Promise<void> {
    const carrier = this.#carrier
    this.#carrier = undefined
    this.#wasUp = false
    await (await carrier?.catch(() => undefined))?.close()
  }

  async run(argv: string[], o: Raw): Promise<{ code: number; signal?: string }> {
    return this.#gate.through(() => this.#run(argv, o))
  }

  async #run(argv: string[], o: Raw): Promise<{ code: number; signal?: string }> {
    this.#stopIfAborted(argv, o.signal)
    const run = randomBytes(12).toString('hex')
    const sudo = o.root && this.#o.user !== 'root' ? new Sudo() : undefined
    const running = await this.#startUnlessAborted(argv, {
      line: commandLine({ argv, run, sudo }),
      run,
      ...o,
    })
    // Errors of either stream are told by `ended`: the one that matters is the loss of the connection.
    for (const stream of [running.stdin, running.stdout, running.stderr]) stream.on('error', () => {})
    running.stdout.on('data', chunk => o.onData(chunk, 'stdout'))
    const early = sudo && (await sudo.letIn(running, { ...this.#o, ask: () => this.#askPassword() }))
    if (early?.length) o.onData(early, 'stderr')
    running.stderr.on('data', chunk => o.onData(chunk, 'stderr')).resume()
    feed(running, o.stdin)
    const exit = await this.#watch(running, { argv, run, ...o })
    if ('cut' in exit) throw new Cut({ node: this.node, ran: shown(argv), why: exit.cut })
    return exit.signal ? { code: 128 + numberOf(exit.signal), signal: exit.signal } : { code: exit.code }
  }

  /** Waits for the end; a deadline or an abort ends it there and throws. */
  async #watch(running: Running, o: Raw & { argv: string[]; run: string }): Promise<Exit> {
    let stop = (_: Failure) => {}
    const stopped = new Promise<Failure>(resolve => {
      stop = resolve
    })
    const bell = setTimeout(() => stop(this.#late(o.argv, o.deadlineMs)), o.deadlineMs)
    const onAbort = () => stop(this.#interrupted(o.argv))
    o.signal?.addEventListener('abort', onAbort, { once: true })
    if (o.signal?.aborted) onAbort()
    try {
      const first = await Promise.race([running.ended, stopped])
      if (!(first instanceof Failure)) return first
      throw await this.#kill(running, o, first)
    } finally {
      clearTimeout(bell)
      o.signal?.removeEventListener('abort', onAbort)
    }
  }

  async #kill(running: Running, o: { run: string; root?: boolean }, because: Failure): Promise<Failure> {
    const problems: Buffer[] = []
    const killed = this.#run(killing(o.run), {
      root: o.root,
      deadlineMs: KILL_MS,
      onData: (chunk, from) => from === 'stderr' && problems.push(chunk),
    }).then(
      ({ code }) => (code === 0 ? undefined : String(Buffer.concat(problems)).trim() || `exit code ${code}`),
      thrown => (thrown instanceof Error ? thrown.message : String(thrown)),
    )
    const problem = await killed
    const over = await Promise.race([running.ended, sleep(END_MS, undefined, { ref: false })])
    running.drop()
    if (!problem && over) return because
    return new Failure(because.message, {
      exit: because.exit,
      why: `It may still run there: ${problem ?? 'its output stays open'}.`,
      next: because.next,
    })
  }

  /** What starts although nobody waits for it any more is ended at once. */
  async #startUnlessAborted(argv: string[], o: Raw & { line: string; run: string }): Promise<Running> {
    const started = this.#start(argv, o.line)
    if (!o.signal) return started
    const interrupted = this.#interrupted(argv)
    let onAbort = () => {}
    const aborted = new Promise<'aborted'>(resolve => {
      onAbort = () => resolve('aborted')
      o.signal?.addEventListener('abort', onAbort, { once: true })
    })
    try {
      const first = await Promise.race([started, aborted])
      if (first !== 'aborted') return first
      started.then(running => this.#kill(running, o, interrupted)).catch(() => {})
      throw interrupted
    } finally {
      o.signal.removeEventListener('abort', onAbort)
    }
  }

  async #start(argv: string[], line: string): Promise<Running> {
    for (let tries = 1; ; ) {
      const carrier = await this.#connected()
      try {
        return await carrier.start(line)
      } catch (thrown) {
        if (thrown instanceof Lost) {
          // What was not sent has not run: the next connection may carry it.
          if (!thrown.sent && tries++ < STARTS) continue
          throw new Cut({ node: this.node, ran: thrown.sent ? shown(argv) : undefined, why: thrown.message })
        }
        // Others of ours hold the channels, so one of them will come back; from now on we ask for fewer.
        if (!(thrown instanceof Busy) || this.#gate.inside <= 1) throw thrown
        this.#gate.narrow(this.#gate.inside - 1)
        await sleep(50)
      }
    }
  }

  /** Those who find the connection lost at the same moment share the next one. */
  async #connected(): Promise<Carrier> {
    for (;;) {
      this.#carrier ??= this.#connect()
      const pending = this.#carrier
      const carrier = await pending
      if (carrier.gone === undefined) return carrier
      if (this.#carrier === pending) this.#carrier = undefined
    }
  }

  #connect(): Promise<Carrier> {
    const next = this.#o.connect({ again: this.#wasUp })
    next.then(
      () => {
        this.#wasUp = true
      },
      () => {
        if (this.#carrier === next) this.#carrier = undefined
      },
    )
    return next
  }

  #askPassword(): Promise<Secret | undefined> {
    this.#password ??=
      this.#o.sudoPassword?.({ node: this.node, user: this.#o.user }) ?? Promise.resolve(undefined)
    return this.#password
  }

  #stopIfAborted(argv: string[], signal: AbortSignal | undefined): void {
    if (signal?.aborted) throw this.#interrupted(argv)
  }

  #interrupted(argv: string[]): Failure {
    return new Failure(`Interrupted: ${shown(argv)} on ${this.node} was ended.`, { exit: EXIT.interrupted })
  }

  #late(argv: string[], deadlineMs: number): Failure {
    return new Failure(
      `${shown(argv)} on ${this.node} took longer than ${deadlineMs / 1000} s and was ended.`,
      {
        exit: EXIT.deadline,
        next: `Look at what it waits for there; then run the same command again.`,
      },
    )
  }
}

function numberOf(signal: string): number {
  return constants.signals[`SIG${signal.replace(/^SIG/, '')}` as NodeJS.Signals] ?? 0
}
