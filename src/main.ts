import { version } from './assets.ts'
import type { Io } from './commands/command.ts'
import { codeOf, EXIT, type ExitCode, reasonOf } from './errors.ts'

/** What main needs of the process; tests hand in their own. */
export interface Host {
  argv: string[]
  env: NodeJS.ProcessEnv
  stdin: NodeJS.ReadableStream & { isTTY?: boolean }
  stdout: NodeJS.WritableStream & { isTTY?: boolean; columns?: number }
  stderr: NodeJS.WritableStream & { isTTY?: boolean }
  cwd(): string
  exit(code: number): unknown
  on(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown
}

/** Runs one command line. The only place that ends the process. */
export async function main(host: Host): Promise<void> {
  const words = host.argv.slice(2)
  // Whoever reads us has seen enough, as in `llmagentos data get x | head`.
  host.stdout.on('error', thrown => {
    if (codeOf(thrown) === 'EPIPE') return host.exit(EXIT.ok)
    host.stderr.write(`error: What was to be printed could not be written: ${reasonOf(thrown)}.\n`)
    host.exit(EXIT.ours)
  })
  // Nobody is left to be told.
  host.stderr.on('error', () => undefined)
  if (words.length === 1 && (words[0] === '--version' || words[0] === '-V')) {
    host.stdout.write(`${version()}\n`)
    return leave(host, EXIT.ok)
  }
  const { run } = await import('./commands/program.ts')
  leave(host, await run(words, ioOf(host)))
}

function ioOf(host: Host): Io {
  const interrupted = new AbortController()
  const onSignal = () => {
    if (interrupted.signal.aborted) host.exit(EXIT.interrupted)
    interrupted.abort()
  }
  host.on('SIGINT', onSignal)
  host.on('SIGTERM', onSignal)
  return {
    env: host.env,
    cwd: host.cwd(),
    stdin: host.stdin,
    stdout: host.stdout,
    stderr: host.stderr,
    signal: interrupted.signal,
    say: line => void host.stderr.write(`${printable(line)}\n`),
    print: line => void host.stdout.write(`${printable(line)}\n`),
  }
}

/** Names and texts of others may hold what a terminal obeys; it is shown instead. JSON reads the same with it. */
const printable = (line: string) =>
  line
    .replaceAll('\r\n', '\n')
    .replace(
      /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g,
      c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
    )

/** A pipe may still hold output when the process ends, so the exit waits until both streams took theirs. */
function leave(host: Host, code: ExitCode): void {
  const exit = () => host.stderr.write('', () => host.exit(code))
  // Its error event is still to come, and ends the process in its own way.
  host.stdout.write('', thrown => (thrown ? setImmediate(exit) : exit()))
}
