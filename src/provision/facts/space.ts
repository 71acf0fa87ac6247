import { quote } from '../connections/quote.ts'
import type { Fact } from './fact.ts'
import { linesOf, whole } from './fields.ts'

export interface Space {
  /** The path that was asked for. */
  path: string
  /** Where the file system that holds it, or will hold it, is mounted. */
  mount: string
  type: string
  sizeBytes: number
  /** For us, who are root, but without what the file system keeps back. */
  freeBytes: number
  /** undefined where the file system makes inodes as it needs them. */
  freeInodes?: number
  writable: boolean
}

const ALWAYS = ['/', '/var', '/var/lib', '/var/cache', '/opt', '/tmp']

/** The file systems that we write to, and those of `paths`, in that order. A path that is not there yet counts for what will hold it. */
export function space(paths: string[] = []): Fact<Space[]> {
  const all = [...new Set([...ALWAYS, ...paths])]
  return {
    id: `space ${all.join(' ')}`,
    deadlineMs: 10_000,
    // One df for all: each process costs more than what it says.
    script: `set -- && writables=
for path in ${quote(all)}; do
  there=$path
  while [ ! -d "$there" ]; do there=\${there%/*}; [ -n "$there" ] || there=/; done
  [ -w "$there" ] && writables="$writables yes" || writables="$writables no"
  set -- "$@" "$there"
done
found=$(df -B1 --output=fstype,size,avail,itotal,iavail,target -- "$@") || exit 1
set -- $writables
{
  read -r title
  for path in ${quote(all)}; do
    read -r type size free inodes unused mount || exit 1
    printf '%s\\t%s\\t%s\\t%s\\n' "$path" "$1" "$type $size $free $inodes $unused" "$mount"
    shift
  done
} <<END
$found
END`,
    parse(stdout) {
      const found = linesOf(stdout).map(spaceOf)
      if (found.map(({ path }) => path).join() !== all.join()) throw new Error('it is not about all paths')
      return found
    },
  }
}

function spaceOf(line: string): Space {
  const [path, writable, figures, mount] = line.split('\t')
  const [type, size, free, inodes, freeInodes] = (figures ?? '').split(' ')
  if (!path || !mount || !type) throw new Error(`${JSON.stringify(line)} is no line of it`)
  return {
    path,
    mount,
    type,
    sizeBytes: whole(size),
    freeBytes: whole(free),
    ...(/^[1-9]/.test(inodes ?? '') && { freeInodes: whole(freeInodes) }),
    writable: writable === 'yes',
  }
}
