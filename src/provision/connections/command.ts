import { quote } from './quote.ts'

const MARK = 'LLMAGENTOS_RUN'

// A locale whose messages can be parsed, and the tools that Debian's default PATH of ordinary users lacks.
const ENVIRONMENT = [
  'LC_ALL=C.UTF-8',
  'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  'DEBIAN_FRONTEND=noninteractive',
]

/**
 * The shell line that runs an argv. `run` is a random word that all its processes carry in their environment. With `sudo`, the
 * word `started` comes on standard error when sudo lets the command begin; before that sudo may ask with `prompt`.
 */
export function commandLine(o: {
  argv: string[]
  run: string
  sudo?: { prompt: string; started: string }
}): string {
  const command = ['env', `${MARK}=${o.run}`, ...ENVIRONMENT, ...o.argv]
  if (!o.sudo) return quote(command)
  const begun = ['sh', '-c', 'printf %s "$0" >&2; exec "$@"', o.sudo.started]
  return quote(['env', ...ENVIRONMENT, 'sudo', '-S', '-p', o.sudo.prompt, '--', ...begun, ...command])
}

/** Ends the process groups of all that carries the word `run`: SIGTERM, and after 2 s SIGKILL. */
export const killing = (run: string): string[] => ['sh', '-c', KILL, 'sh', `${MARK}=${run}`]

// The fifth field of /proc/PID/stat is the group; the second may hold anything, and ends with the last bracket. The line that a login
// shell was given holds the word too, but not its environment. Our own group is left alone.
const KILL = `groups() {
  for file in $(grep -lsxzF -e "$1" /proc/[0-9]*/environ 2>/dev/null); do
    stat=$(cat "\${file%environ}stat" 2>/dev/null) || continue
    set -- "$1" \${stat##*) }
    [ "$2" = Z ] || [ "$4" = "$own" ] || echo "$4"
  done | sort -u
}
own=; stat=$(cat /proc/$$/stat); set -- "$1" \${stat##*) }; own=$4; set -- "$1"
for signal in TERM KILL; do
  for tick in 1 2 3 4 5 6 7 8 9 10; do
    found=$(groups "$1")
    [ -n "$found" ] || exit 0
    [ $tick = 1 ] && for group in $found; do kill -s $signal -- "-$group" 2>/dev/null; done
    sleep 0.2
  done
done
echo "still there: $found" >&2
exit 1`
