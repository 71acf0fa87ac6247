import type { Left } from '../reconcile/step.ts'
import type { Fact } from './fact.ts'
import { linesOf } from './fields.ts'
import { askUnits, type UnitState, unitStates } from './units.ts'

/** What the node's manifest says that we keep there, and how each thing is now. */
export interface Kept {
  entries: Left[]
  /** By path; what is not in it is not there. */
  files: Map<string, FileState>
  /** By `blockKey`: sha256 of the lines between our marks, without the last line's end; `damaged` where a mark lacks the other. */
  blocks: Map<string, string>
  /** By name, for the units of the manifest. */
  units: Map<string, UnitState>
  /** Names of openings that are there. */
  openings: Set<string>
}

export interface FileState {
  type: 'file' | 'folder' | 'link' | 'other'
  mode: number
  /** `user:group` */
  owner: string
  /** Of a file of at most 16 MiB. */
  sha256?: string
}

export const MANIFEST = '/var/lib/llmagentos/manifest'

/** The marks of a component's lines in a file of others. */
export const marksOf = (component: string) => ({
  begin: `# begin llmagentos ${component}`,
  end: `# end llmagentos ${component}`,
})

export const blockKey = (component: string, path: string) => `${component}\t${path}`

// Of the manifest's lines about one thing the last one holds. Fields: sign, component, kind, name, digest.
const FOLD = `BEGIN { FS = "\\t" }
NF >= 4 { key = $2 FS $3 FS $4; if (!(key in sign)) order[++n] = key; sign[key] = $1; digest[key] = $5 }
END { for (i = 1; i <= n; i++) if (sign[order[i]] == "+") print "kept" FS order[i] FS digest[order[i]] }`

const BLOCK = `$0 == ENVIRON["BEGIN"] { if (seen++) bad = 1; within = 1; next }
$0 == ENVIRON["END"] { if (!within) bad = 1; within = 0; next }
within { print }
END { exit within || bad }`

// What is missing makes stat and sha256sum fail, and is an answer. Files beyond 16 MiB are artifacts, checked when they are placed.
const SCRIPT = `[ -e ${MANIFEST} ] || exit 0
kept=$(awk '${FOLD}' ${MANIFEST}) || exit
[ -n "$kept" ] || exit 0
printf '%s\\n' "$kept"
names() { printf '%s\\n' "$kept" | awk -F '\\t' -v kind="$1" '$3 == kind { print $4 }'; }
files=$(names file | tr '\\n' '\\0' | xargs -0 -r stat --printf 'file\\t%n\\t%f\\t%s\\t%U:%G\\n' -- 2>/dev/null)
printf '%s\\n' "$files"
printf '%s\\n' "$files" | awk -F '\\t' '$3 ~ /^8/ && $4 <= 16777216 { print $2 }' | tr '\\n' '\\0' |
  xargs -0 -r sha256sum -z -- 2>/dev/null | tr '\\0' '\\n' | sed 's/^/sum	/'
printf '%s\\n' "$kept" | awk -F '\\t' '$3 == "block" { print $2 FS $4 }' | while IFS='	' read -r component path; do
  export BEGIN="# begin llmagentos $component" END="# end llmagentos $component"
  grep -qxF -e "$BEGIN" -e "$END" -- "$path" 2>/dev/null || continue
  if text=$(awk '${BLOCK}' "$path"); then sum=$(printf '%s' "$text" | sha256sum | cut -d' ' -f1); else sum=damaged; fi
  printf 'block\\t%s\\t%s\\t%s\\n' "$component" "$path" "$sum"
done
openings=$(names opening)
case $openings in *ufw*)
  [ ! -r /etc/ufw/user.rules ] || awk '$2 == "tuple" && $4 == "allow" { print "opening\\tufw " $5 " " $6 " " $9 }' /etc/ufw/user.rules
esac
case $openings in *firewalld*)
  zone=$(firewall-cmd --get-default-zone) && rules=$(firewall-cmd --permanent --zone="$zone" --list-rich-rules) || exit
  printf '%s\\n' "$rules" |
    sed -n 's/.*source address="\\([^"]*\\)" port port="\\([0-9]*\\)" protocol="\\([a-z]*\\)" accept.*/opening	firewalld \\3 \\2 \\1/p'
esac
units=$(names unit)
[ -z "$units" ] || {
${askUnits('$units')}
}`

export const kept: Fact<Kept> = {
  id: 'kept',
  deadlineMs: 20_000,
  script: SCRIPT,
  parse(stdout) {
    const rows = linesOf(stdout).map(line => line.split('\t'))
    const of = (kind: string) => rows.filter(row => row[0] === kind)
    const entries = of('kept').map(entry)
    const sums = new Map(of('sum').map(([, line]) => [line!.slice(66), line!.slice(0, 64)]))
    return {
      entries,
      files: new Map(of('file').map(row => [row[1]!, fileState(row, sums.get(row[1]!))])),
      blocks: new Map(of('block').map(([, component, path, sum]) => [blockKey(component!, path!), sum!])),
      units: unitStates(
        entries.filter(e => e.kind === 'unit').map(e => e.name),
        rows,
      ),
      openings: new Set(of('opening').map(([, name]) => name!)),
    }
  },
}

function entry([, component, kind, name, digest]: string[]): Left {
  if (!component || !kind || !name) throw new Error('the manifest has a line without a name')
  return { component, kind: kind as Left['kind'], name, ...(digest && { digest }) }
}

const TYPES = new Map<number, FileState['type']>([
  [0o100000, 'file'],
  [0o040000, 'folder'],
  [0o120000, 'link'],
])

function fileState([, , hex, , owner]: string[], sha256: string | undefined): FileState {
  const mode = Number.parseInt(hex ?? '', 16)
  if (Number.isNaN(mode) || !owner) throw new Error('stat says something else than it was asked')
  return {
    type: TYPES.get(mode & 0o170000) ?? 'other',
    mode: mode & 0o7777,
    owner,
    ...(sha256 && { sha256 }),
  }
}
