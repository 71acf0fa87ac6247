import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Log } from '../../../log.ts'
import type { ChildEnd, FromChild, ToChild } from './messages.ts'

/** Last words kept of a child, for the reason of its crash. */
const STDERR_CHARS = 2_000
const START_MS = 30_000
/** What a child wrote may arrive behind the news of its death, by so long at most. */
const LAST_WORDS_MS = 500

/** What became of a run: the child's own word, or its death. */
export type RunEnd = ChildEnd | { is: 'crashed'; reason: string }

export interface ChildOptions {
  program: string
  /** Past this many MiB of JavaScript memory the child dies, and its attempt with it. */
  memoryMb: number
  log: Log
}

/** One child program: warm between tasks, gone when it crashed. Gets no environment, no arguments and no open files of ours. */
export class Child {
  readonly #process: ChildProcess
  readonly #log: Log
  #said = ''
  #running?: { end(end: RunEnd): void; progress(text: string): void }
  dead = false

  private constructor(child: ChildProcess, log: Log) {
    this.#process = child
    this.#log = log
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#said = (this.#said + text).slice(-STDERR_CHARS)
    })
    child.on('message', m => this.#hear(m as FromChild))
    child.once('exit', (code, signal) => this.#exited(code, signal))
    // Writing to a child that just died; its exit says all there is to say.
    child.on('error', () => {})
  }

  /** Forks one and waits until it can take a task. */
  static async start(o: ChildOptions): Promise<Child> {
    const forked = fork(o.program, [], {
      env: {},
      execArgv: [`--max-old-space-size=${o.memoryMb}`],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization: 'json',
    })
    const child = new Child(forked, o.log)
    const ready = once(forked, 'message', { signal: AbortSignal.timeout(START_MS) })
    const gone = once(forked, 'exit').then(() => {
      throw new Error(`the child program ended at its start: ${child.#said.trim().slice(-300)}`)
    })
    await Promise.race([ready, gone]).catch(thrown => {
      child.kill()
      throw thrown
    })
    gone.catch(() => {})
    return child
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  run(order: Extract<ToChild, { type: 'run' }>, progress: (text: string) => void): Promise<RunEnd> {
    return new Promise(resolve => {
      this.#running = { end: resolve, progress }
      if (this.dead) this.#finish({ is: 'crashed', reason: 'the child had died before' })
      else this.#send(order)
    })
  }

  renew(token: string): void {
    this.#send({ type: 'token', token })
  }

  abort(reason: string): void {
    this.#send({ type: 'abort', reason })
  }

  kill(): void {
    this.#process.kill('SIGKILL')
  }

  #hear(m: FromChild): void {
    if (m.type === 'progress') this.#running?.progress(m.text)
    else if (m.type === 'log') this.#log[m.level](m.fields, m.says)
    else if (m.type === 'end') this.#finish(m.end)
  }

  #exited(code: number | null, signal: NodeJS.Signals | null): void {
    this.dead = true
    const timer = setTimeout(() => this.#crashed(code, signal), LAST_WORDS_MS)
    this.#process.once('close', () => {
      clearTimeout(timer)
      this.#crashed(code, signal)
    })
  }

  #crashed(code: number | null, signal: NodeJS.Signals | null): void {
    const how = signal ? `signal ${signal}` : `exit code ${code}`
    const memory = /heap out of memory/i.test(this.#said) ? ' (out of memory)' : ''
    this.#finish({ is: 'crashed', reason: `crashed, ${how}${memory}` })
  }

  #finish(end: RunEnd): void {
    this.#running?.end(end)
    this.#running = undefined
  }

  #send(m: ToChild): void {
    if (!this.dead && this.#process.connected) this.#process.send(m, () => {})
  }
}
