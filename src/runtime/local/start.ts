import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { commandLine } from '../../assets.ts'
import type { ProcessConfig } from '../../contracts/config.ts'
import { EXIT, type ExitCode, Failure } from '../../errors.ts'
import { logFileOf } from './log-file.ts'
import { makeFolders, type Paths } from './paths.ts'
import { propose } from './remembered.ts'

const START_MS = 60_000

/** What the background process tells its starter: that it serves, or why it cannot. */
export type Told = { ready: true } | { failed: { what: string; why?: string; next?: string; exit: ExitCode } }

const LAST_WORD_MS = 250

/** Starts all services as one process in the background and returns when they are ready. Throws the Failure that the process met. */
export async function startLocal(
  config: ProcessConfig,
  o: { cluster: string; paths: Paths; env: NodeJS.ProcessEnv; signal: AbortSignal },
): Promise<void> {
  makeFolders(o.paths)
  const proposed = propose(o.paths, config)
  const logFile = logFileOf(o.paths)
  mkdirSync(dirname(logFile), { recursive: true, mode: 0o700 })
  const log = openSync(logFile, 'a', 0o600)
  const [node, bin] = commandLine() as [string, string]
  const child = spawn(node, [bin, 'serve', '--config', proposed.file, '--cluster', o.cluster], {
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
    cwd: '/',
    env: lasting(o.env),
  })
  closeSync(log)
  try {
    const told = await firstWord(child, o.signal, logFile)
    if ('failed' in told) throw new Failure(told.failed.what, told.failed)
    proposed.keep()
  } catch (thrown) {
    proposed.drop()
    child.kill('SIGTERM')
    throw thrown
  } finally {
    if (child.connected) child.disconnect()
    child.unref()
  }
}

/** What the services need of the environment. The rest may hold secrets of whoever typed the command, and the process lives long. */
function lasting(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const wanted =
    /^(PATH|HOME|USER|LANG|LC_.*|TZ|TMPDIR|NODE_EXTRA_CA_CERTS|XDG_.*|OLLAMA_.*|CUDA_.*|HIP_.*|ROCR_.*)$/
  return Object.fromEntries(Object.entries(env).filter(([name]) => wanted.test(name)))
}

function firstWord(child: ChildProcess, signal: AbortSignal, logFile: string): Promise<Told> {
  return new Promise((resolve, reject) => {
    const fail = (what: string, exit: ExitCode) =>
      reject(new Failure(what, { exit, next: `Its log says more: ${logFile}` }))
    const timer = setTimeout(() => fail('The services were not ready within 60 s.', EXIT.deadline), START_MS)
    const stop = () => reject(signal.reason)
    child.once('message', told => resolve(told as Told))
    child.once('error', thrown => fail(`The services could not be started: ${thrown.message}.`, EXIT.ours))
    // Its last word may still be on the way when it has ended, and also when the channel has closed.
    child.once('exit', (code, by) => {
      const exit = code === EXIT.locked ? EXIT.locked : EXIT.ours
      const ended = () => fail(`The services ended while they started (${by ?? `exit ${code}`}).`, exit)
      const late = () => setTimeout(ended, LAST_WORD_MS)
      if (child.connected) child.once('disconnect', late)
      else late()
    })
    signal.addEventListener('abort', stop, { once: true })
    child.once('message', () => clearTimeout(timer))
    child.once('exit', () => clearTimeout(timer))
    child.once('message', () => signal.removeEventListener('abort', stop))
  })
}
