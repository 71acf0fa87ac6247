import { Secret } from '../../secret.ts'
import type { Fact } from '../facts/fact.ts'
import { linesOf } from '../facts/fields.ts'

/** On control nodes: one file per secret, root's alone (0600), in a folder of root's alone (0700). */
export const SECRETS = '/var/lib/llmagentos/secrets'

/** Behind the name of a secret: the value that takes the place of the one in use. */
export const NEXT = '.next'

export interface StoredSecret {
  value: Secret
  mode: number
  /** `user:group` */
  owner: string
  /** When this node got it, in milliseconds since the epoch, by its clock. */
  sinceMs: number
}

/** What a control node has, by name; `NAME.next` is a name of its own. Files that are being written begin with a dot. */
export const secretsFact: Fact<Map<string, StoredSecret>> = {
  id: 'secrets',
  deadlineMs: 5_000,
  script: `cd ${SECRETS} 2>/dev/null || exit 0
for name in *; do
  [ -f "$name" ] || continue
  about=$(stat -c '%f %U:%G %Y' -- "$name") && text=$(base64 -w 0 <"$name") || exit
  printf '%s %s %s\\n' "$name" "$about" "$text"
done`,
  parse: stdout => new Map(linesOf(stdout).map(stored)),
}

/** Its errors never quote: the line holds a secret. */
function stored(line: string): [string, StoredSecret] {
  const [name, hex, owner, since, text = ''] = line.split(' ')
  const mode = Number.parseInt(hex ?? '', 16)
  if (!name || Number.isNaN(mode) || !owner || !/^\d+$/.test(since ?? ''))
    throw new Error('the folder of secrets was listed in another way than asked')
  const value = new Secret(Buffer.from(text, 'base64').toString('utf8'))
  return [name, { value, mode: mode & 0o7777, owner, sinceMs: Number(since) * 1000 }]
}
