import { INPUTS, type UnitState } from '../facts/units.ts'
import { type Left, type Step, step } from '../reconcile/step.ts'
import { writesUnit } from './file.ts'
import type { UnitItem } from './item.ts'
import { entryOf, left, type Now, shell } from './now.ts'

// systemd's own 90 s for a start, for a stop before it, and more.
const UNIT_MS = 300_000

const ENABLED = ['enabled', 'enabled-runtime', 'static', 'generated', 'alias', 'indirect', 'linked']

// A unit that failed too often is not started again before its counter is reset.
const RUN = `set -eu
systemctl daemon-reload
[ "$(systemctl show --property=LoadState --value -- "$2")" != masked ] || systemctl --quiet unmask -- "$2"
systemctl --quiet enable -- "$2"
[ "$1" != enable ] || exit 0
systemctl reset-failed -- "$2" 2>/dev/null || :
systemctl "$1" -- "$2" || {
  code=$?
  journalctl --quiet --no-pager --lines=20 --output=cat --unit="$2" >&2
  exit $code
}`

export function unitSteps(item: UnitItem, now: Now): Step[] {
  const { name } = item
  const entry = entryOf(now, 'unit', name)
  const todo = entry
    ? toDo(item, now.kept.units.get(name), now)
    : { verb: 'restart', says: `start ${name}: ${item.says}` }
  if (!todo) return []
  return [
    step({
      node: now.node,
      says: todo.says,
      risk: entry ? (todo.verb === 'restart' ? 'restart' : 'change') : 'add',
      deadlineMs: UNIT_MS,
      act: shell(RUN, todo.verb, name),
      leaves: entry ? [] : [left(now, 'unit', name)],
    }),
  ]
}

function toDo({ name, says, inputs }: UnitItem, state: UnitState | undefined, now: Now) {
  if (state?.active !== 'active')
    return { verb: 'start', says: `start ${name}: it is ${state?.active ?? 'gone'} (${says})` }
  if (inputs !== undefined && state.inputs !== inputs)
    return { verb: 'restart', says: `restart ${name}: its settings changed` }
  if (state.stale || now.before.some(before => writesUnit(before, name)))
    return { verb: 'restart', says: `restart ${name}: its unit changed` }
  if (!ENABLED.includes(state.enabled))
    return { verb: 'enable', says: `put back ${name}: it is ${state.enabled || 'not enabled'}` }
  return undefined
}

export function goneUnit(gone: Left, { node }: Now): Step {
  return step({
    node,
    says: `stop ${gone.name}: it is no longer needed`,
    risk: 'change',
    deadlineMs: UNIT_MS,
    act: shell(
      `set -eu
[ "$(systemctl show --property=LoadState --value -- "$1")" != not-found ] || exit 0
systemctl --quiet disable --now -- "$1"
systemctl reset-failed -- "$1" 2>/dev/null || :`,
      gone.name,
    ),
    takes: [gone],
  })
}

/** Lines for the unit of `inputs`: for [Service] with a main process, or for a unit without one ([Timer] has no such line). */
export function inputLines(inputs: string, o: { process: boolean }): string {
  if (o.process) return `Environment=LLMAGENTOS_INPUTS=${inputs}\n`
  return `ExecStartPost=/bin/sh -c 'mkdir -p ${INPUTS} && echo ${inputs} >${INPUTS}/%n'\n`
}
