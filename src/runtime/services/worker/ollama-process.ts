import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import type { Log } from '../../../log.ts'

const SHORTEST_RESTART_MS = 2_000
const LONGEST_RESTART_MS = 60_000

interface OllamaProcess {
  /** Settles when it has ended, with its last words. */
  ended: Promise<string>
  stop(): Promise<void>
  /** Ends it and what it started at once. */
  kill(): void
}

/** Keeps an Ollama of our own running: each time that it dies, the pause before the next start doubles. */
export class KeptOllama {
  readonly #o: { binary: string; url: string; slots: number; log: Log; onEnd(): void }
  #process: OllamaProcess | undefined
  #lastWords: string | undefined
  #next = { at: 0, waitMs: SHORTEST_RESTART_MS }
  #stopped = false

  constructor(o: { binary: string; url: string; slots: number; log: Log; onEnd(): void }) {
    this.#o = o
  }

  /** Why it does not answer, as far as is known here. */
  get says(): string {
    if (this.#process || !this.#lastWords) return 'Ollama was started and does not answer yet.'
    return `Ollama could not be started: ${this.#lastWords}.`
  }

  /** Call whenever nothing answers: starts it unless it is on its way or its pause is not over. */
  launch(): void {
    if (this.#process || this.#stopped || Date.now() < this.#next.at) return
    const started = startOllama(this.#o)
    this.#process = started
    void started.ended.then(says => {
      this.#process = undefined
      this.#lastWords = says
      this.#next.at = Date.now() + this.#next.waitMs
      this.#next.waitMs = Math.min(this.#next.waitMs * 2, LONGEST_RESTART_MS)
      if (!this.#stopped) this.#o.log.warn({ says }, 'ollama ended')
      this.#o.onEnd()
    })
  }

  /** It answers: the next death is a first one again. */
  answered(): void {
    this.#next.waitMs = SHORTEST_RESTART_MS
  }

  /** It hangs: the next `launch` starts another one. */
  kill(): void {
    this.#process?.kill()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#process?.stop()
  }
}

/** Where `ollama` is, when it is installed and this machine can tie its life to ours. */
export async function findOllama(path = process.env.PATH ?? ''): Promise<string | undefined> {
  const [ollama, setpriv] = await Promise.all([onPath('ollama', path), onPath('setpriv', path)])
  return setpriv && ollama
}

const LAST_LINES = 5
const STOP_MS = 5_000

/**
 * Starts `ollama serve` under setpriv's parent-death signal: the kernel itself ends it when this process is gone, `kill -9` included, so
 * it is never left behind. Ollama ends its own children on SIGTERM.
 */
export function startOllama(o: { binary: string; url: string; slots: number; log: Log }): OllamaProcess {
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', '--', o.binary, 'serve'], {
    env: environment(o),
    stdio: ['ignore', 'ignore', 'pipe'],
    // A group of its own: what runs its models ends with it.
    detached: true,
  })
  const last: string[] = []
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    last.push(...text.trim().split('\n'))
    last.splice(0, last.length - LAST_LINES)
  })
  const ended = new Promise<string>(resolve => {
    child.once('error', thrown => resolve(thrown.message))
    child.once('close', (code, signal) =>
      resolve(last.at(-1) ?? `it ended with ${signal ?? `status ${code}`}`),
    )
  })
  o.log.info({ pid: child.pid, binary: o.binary }, 'started ollama')
  return { ended, stop: () => stop(child, ended), kill: () => killGroup(child) }
}

async function stop(child: ChildProcess, ended: Promise<string>): Promise<void> {
  child.kill('SIGTERM')
  const late = setTimeout(() => killGroup(child), STOP_MS)
  await ended
  clearTimeout(late)
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It ended in the meantime.
  }
}

const KEPT =
  /^(?:PATH|HOME|LANG|LC_.*|TMPDIR|LD_LIBRARY_PATH|OLLAMA_.*|(?:CUDA|ROCR|HIP|HSA|GGML|GPU)_.*|(?:https?|no|all)_proxy)$/i

/** Only what Ollama reads: its settings, its accelerators, and the way to the internet for downloads. */
function environment(o: { url: string; slots: number }): NodeJS.ProcessEnv {
  const kept = Object.fromEntries(Object.entries(process.env).filter(([name]) => KEPT.test(name)))
  return {
    OLLAMA_NUM_PARALLEL: String(o.slots),
    ...kept,
    OLLAMA_HOST: new URL(o.url).host,
    // Nothing that is asked here leaves the machine.
    OLLAMA_NO_CLOUD: '1',
  }
}

async function onPath(name: string, path: string): Promise<string | undefined> {
  for (const folder of path.split(delimiter)) {
    const file = join(folder, name)
    if (
      folder &&
      (await access(file, constants.X_OK).then(
        () => true,
        () => false,
      ))
    )
      return file
  }
  return undefined
}
