import type { WantedNode } from '../../../cluster/cluster.ts'
import { quote } from '../../../connections/quote.ts'
import type { Fact } from '../../../facts/fact.ts'
import { fill } from '../../../os/template.ts'
import type { Config } from '../schema.ts'
import { mountsOf } from './names.ts'

/** How a folder is where the file system is wanted. */
export type Look =
  /** Nothing is mounted there, and nothing is in it. */
  | { state: 'free' }
  /** It told its space, and that a name is not there. */
  | { state: 'answers'; bytes: number; free: number }
  /** No answer yet, which says nothing about it. */
  | { state: 'hangs' }
  /** Whoever served it is gone, or is no longer let in. */
  | { state: 'dead'; why: string }
  | { state: 'in the way'; why: string }

const STATES = ['free', 'answers', 'hangs', 'dead', 'in the way']

// A node without python3 has no mount of ours yet.
const BARE = `printf '{'
for path; do
  state='"free"'
  if mountpoint -q -- "$path" || [ -n "$(ls -A -- "$path" 2>/dev/null)" ]; then state='"in the way", "why": "it is not empty"'; fi
  printf '%s"%s": {"state": %s}' "$comma" "$path" "$state"
  comma=', '
done
printf '}\\n'`

/** By folder. */
export const looks = (config: Config, node: WantedNode): Fact<Record<string, Look>> => {
  const paths = mountsOf(config, node)
  return {
    id: `mounts ${JSON.stringify(paths)}`,
    deadlineMs: 8_000 + 6_000 * paths.length,
    script: `command -v python3 >/dev/null || { ${quote(['sh', '-c', BARE, 'sh', ...paths])}; exit; }
exec ${quote(['python3', '-c', fill('ceph/look.py', {}), ...paths])}`,
    parse(stdout) {
      const told = JSON.parse(stdout) as Record<string, Look>
      if (!paths.every(path => STATES.includes(told[path]?.state ?? '')))
        throw new Error('it does not tell of all mounts')
      return told
    },
  }
}
