import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'

export interface Ran {
  /** Null when a signal ended it. */
  code: number | null
  stdout: string
  stderr: string
}

/** A short command's standard output, trimmed; throws with its standard error when it fails. */
export function output(command: string, args: string[], o: { input?: string } = {}): string {
  try {
    return String(execFileSync(command, args, { stdio: 'pipe', ...o })).trim()
  } catch (thrown) {
    const { stderr } = thrown as { stderr?: Buffer }
    throw new Error(`${[command, ...args].join(' ')}: ${String(stderr ?? '').trim() || String(thrown)}`)
  }
}

/** Like `output` for cleaning up: what is already gone, or not there yet, is no error. */
export function attempt(command: string, args: string[]): boolean {
  try {
    output(command, args)
    return true
  } catch {
    return false
  }
}

/** Runs a command that takes its time. Never throws for an exit code; past `deadlineMs` it is killed and `code` is null. */
export async function ran(
  argv: string[],
  o: { input?: string; deadlineMs?: number; env?: NodeJS.ProcessEnv } = {},
): Promise<Ran> {
  const [command, ...args] = argv
  const child = spawn(command!, args, {
    stdio: 'pipe',
    env: o.env ?? process.env,
    timeout: o.deadlineMs ?? 120_000,
    killSignal: 'SIGKILL',
  })
  const result: Ran = { code: null, stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', text => {
    result.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', text => {
    result.stderr += text
  })
  // A command that does not read its input closes the pipe first.
  child.stdin.on('error', () => {})
  child.stdin.end(o.input)
  const [code] = await once(child, 'close')
  return { ...result, code }
}

/** One word of a POSIX shell. */
export const quote = (word: string) =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
