import { EXIT, Failure } from '../../errors.ts'
import type { Connection } from '../../provision/index.ts'

export interface Vitals {
  /** As the node names itself: `Debian GNU/Linux 13 (trixie)`. */
  os: string
  kernel: string
  upSeconds?: number
}

const DEADLINE_MS = 20_000
const MARK = '-- llmagentos --'
const ASK = `cat /etc/os-release; echo '${MARK}'; uname -r; echo '${MARK}'; cat /proc/uptime; echo '${MARK}'; cat /proc/1/stat`

/** What a node says of itself, in one command. Throws what `exec` throws, and Failure (6) for an answer that makes no sense. */
export async function vitalsOf(on: Connection, signal: AbortSignal): Promise<Vitals> {
  const { stdout } = await on.exec(['sh', '-c', ASK], { deadlineMs: DEADLINE_MS, signal })
  const [release, kernel, uptime, first] = stdout.split(`${MARK}\n`)
  if (first === undefined)
    throw new Failure(`${on.node} answers, but not as a Linux machine does.`, {
      exit: EXIT.unhealthy,
      why: stdout.slice(0, 200) || 'It said nothing.',
      next: `Look at what its login shell prints: llmagentos node ssh ${on.node}`,
    })
  return {
    os: /^PRETTY_NAME="?([^"\n]+)/m.exec(release!)?.[1] ?? 'unknown',
    kernel: kernel!.trim(),
    upSeconds: upSince(uptime!, first),
  }
}

/** Since its process 1 began: in a container the machine below may have been up for longer. */
function upSince(uptime: string, first: string): number | undefined {
  const machine = Number.parseFloat(uptime)
  // Field 22, in ticks of 10 ms; the second field may hold anything, and ends with the last bracket.
  const started = Number(first.slice(first.lastIndexOf(')') + 2).split(' ')[19]) / 100
  const seconds = Math.round(machine - (Number.isFinite(started) ? started : 0))
  return Number.isFinite(seconds) ? seconds : undefined
}
