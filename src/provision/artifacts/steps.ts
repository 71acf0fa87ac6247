import type { Facts } from '../facts/fact.ts'
import { entryOf, left, type Now, shell } from '../os/now.ts'
import { type Step, step } from '../reconcile/step.ts'
import { placed } from './fact.ts'
import type { ReleaseItem } from './item.ts'

const PLACE_MS = 10 * 60_000

// An artifact of the same bytes is not unpacked again while its folder is there.
const CLEAR = 'folder=$(readlink -f -- "$1"); case $folder in "$1".*) exec rm -rf -- "$folder" ;; esac'

/** Asks fact `placed`. Throws UnknownFact. */
export function releaseSteps(item: ReleaseItem, o: { now: Now; facts: Facts }): Step[] {
  const { now, facts } = o
  const there = facts.get(now.node, placed).get(item.path)
  const entry = entryOf(now, 'file', item.path)
  const same = there?.name === item.artifact
  if (entry && same && there.whole) return []
  const damaged = same && !there.whole
  const common = {
    node: now.node,
    risk: entry ? ('change' as const) : ('add' as const),
    deadlineMs: PLACE_MS,
  }
  const clear = damaged
    ? [
        step({
          ...common,
          says: `clear ${item.path}: some of it is gone or was changed`,
          act: shell(CLEAR, item.path),
        }),
      ]
    : []
  const place = step({
    ...common,
    says: `${damaged ? 'put back' : 'place'} ${item.artifact} at ${item.path}: ${item.says}`,
    act: { do: 'place', artifact: item.artifact, path: item.path },
    leaves: entry ? [] : [left(now, 'file', item.path)],
  })
  return [...clear, place]
}
