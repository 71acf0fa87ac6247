import type { Ran } from './commands.ts'

/** Runs a line of shell as root in a node and returns what it says; throws where it fails. */
export type Run = (line: string) => Promise<string>

/** The output of a command that had to succeed. */
export function outputOf(line: string, done: Ran): string {
  if (done.code === 0) return done.stdout
  const ended = done.code === null ? 'past its deadline' : `with ${done.code}`
  throw new Error(`${line} ended ${ended}: ${done.stderr.trim() || done.stdout.trim()}`)
}

/**
 * Everything in some folders of a node, sorted, one line each: path, type, mode, owner, when it last changed, size, where a link goes,
 * sha256 of a file. Equal lines before and after mean that nobody wrote: the kernel alone sets the time of a change.
 */
export async function filesOf(run: Run, folders: string[]): Promise<string[]> {
  const found = await run(`for folder in ${folders.join(' ')}; do
  [ -e $folder ] || continue
  find $folder -printf '%p %y %m %U:%G %C@ %s %l\\n'
  find $folder -type f -exec sha256sum {} +
done`)
  const lines = found.split('\n').filter(Boolean)
  const hashes = new Map(
    lines.flatMap(line => {
      const [, hash, path] = /^\\?([0-9a-f]{64}) {2}(.*)$/.exec(line) ?? []
      return hash && path ? [[path, hash] as const] : []
    }),
  )
  return lines
    .filter(line => line.startsWith('/'))
    .map(line => `${line}${hashes.get(line.slice(0, line.search(/ [a-z] \d+ \d+:\d+ /))) ?? ''}`)
    .sort()
}

/** How often sshd let somebody in since the node was made, other than from the address that the lab's own calls come from. */
export async function loginsOf(run: Run, own: string): Promise<number> {
  const log = await run('journalctl --sync; journalctl -q -o cat --no-pager -t sshd -t sshd-session')
  return log
    .split('\n')
    .filter(line => /^Accepted \S+ for \S+ from /.test(line) && !line.includes(` from ${own} port `)).length
}
