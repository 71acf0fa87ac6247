import { blockKey } from '../facts/kept.ts'
import { type Left, type Step, step } from '../reconcile/step.ts'
import type { BlockItem } from './item.ts'
import { entryOf, left, type Now, sha256, shell } from './now.ts'

const WRITE_MS = 60_000

// Takes our lines out and puts the new ones (standard input) in their place, or at the end. Where a mark lacks the other, only the mark
// and those lines behind it go that are ours word for word. The whole file is replaced at once; where something is mounted over it,
// as over a container's /etc/hosts, it is written in place.
const EDIT = `set -eu
path=$(readlink -f -- "$1"); new=$path.llmagentos
export BEGIN="# begin llmagentos $2" END="# end llmagentos $2"
TEXT=$(cat); export TEXT
[ -e "$path" ] || { : >"$path"; chmod 644 -- "$path"; }
cp -p -- "$path" "$new"
awk 'BEGIN { n = split(ENVIRON["TEXT"], ours, "\\n"); for (i = 1; i <= n; i++) known[ours[i]] = 1 }
function put() { if (done++ || n == 0) return; print ENVIRON["BEGIN"]; print ENVIRON["TEXT"]; print ENVIRON["END"] }
{ line[NR] = $0 }
END {
  for (i = 1; i <= NR; i++) {
    if (line[i] == ENVIRON["END"]) continue
    if (line[i] != ENVIRON["BEGIN"]) { print line[i]; continue }
    for (j = i + 1; j <= NR && line[j] != ENVIRON["END"] && line[j] != ENVIRON["BEGIN"]; j++);
    if (j <= NR && line[j] == ENVIRON["END"]) i = j; else while (i < NR && known[line[i + 1]]) i++
    put()
  }
  put()
}' "$path" >"$new"
sync -- "$new"
mv -f -- "$new" "$path" 2>/dev/null || { cat "$new" >"$path"; rm -f -- "$new"; }
sync -- "$path" "$(dirname -- "$path")"`

export function blockSteps(item: BlockItem, now: Now): Step[] {
  const text = item.text.trimEnd()
  const digest = sha256(text)
  const entry = entryOf(now, 'block', item.path)
  const found = entry && now.kept.blocks.get(blockKey(now.component, item.path))
  if (found === digest) return []
  return [
    step({
      node: now.node,
      says: saysOf(item, { entry, found, digest }),
      risk: entry ? 'change' : 'add',
      deadlineMs: WRITE_MS,
      act: { ...shell(EDIT, item.path, now.component), stdin: text },
      leaves: entry?.digest === digest ? [] : [{ ...left(now, 'block', item.path), digest }],
    }),
  ]
}

function saysOf({ path, says }: BlockItem, o: { entry?: Left; found?: string; digest: string }): string {
  if (!o.entry) return `add our lines to ${path}: ${says}`
  if (o.found === undefined) return `put back our lines in ${path}: they are gone (${says})`
  const byHand = o.found === 'damaged' || o.entry.digest === o.digest
  return byHand
    ? `put back our lines in ${path}: edited by hand (${says})`
    : `change our lines in ${path}: ${says}`
}

export function goneBlock(gone: Left, { node }: Now): Step {
  return step({
    node,
    says: `take our lines out of ${gone.name}`,
    risk: 'change',
    deadlineMs: WRITE_MS,
    act: { ...shell(`[ -e "$1" ] || exit 0\n${EDIT}`, gone.name, gone.component), stdin: '' },
    takes: [gone],
  })
}
