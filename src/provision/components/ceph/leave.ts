import { EXIT, Failure } from '../../../errors.ts'
import type { Facts } from '../../facts/fact.ts'
import { kept } from '../../facts/kept.ts'
import { shell } from '../../os/now.ts'
import { fill } from '../../os/template.ts'
import { type Left, type Step, step, type Wave } from '../../reconcile/step.ts'
import type { Component } from '../component.ts'
import { inQuorum } from './mons.ts'
import { COMPONENT, heldMon, heldQuorum, monStore, unitOf } from './names.ts'
import type { Config } from './schema.ts'
import { tell } from './tell.ts'
import { anyTold } from './told.ts'

const OUT_MS = 120_000

/**
 * The monitor of a node leaves: first the map, because of two that run the other one alone could not decide it; then what is on the node.
 * Its store has all keys of the cluster and goes with it. Where the node does not answer, the map is all there is to change.
 */
export const leave: NonNullable<Component<Config>['leave']> = (view, facts, node) => {
  const up = anyTold(view, facts)
  if (!up)
    throw new Failure('No monitor answers, and nothing was changed.', {
      exit: EXIT.unreachable,
      next: 'Look at it: llmagentos cluster status',
    })
  const there = heldThere(facts, node)
  const inMap = up.told.mons.mons.some(mon => mon.name === node)
  const rest = up.told.status.quorum_names.filter(name => name !== node)
  const manager = up.told.auth[`mgr.${node}`] !== undefined
  return [
    ...waved(
      `ceph: the monitor of ${node} leaves the others`,
      inMap ? [takenOut(up.node, node), inQuorum(up.node, rest)] : [],
    ),
    ...waved(`ceph: the monitor leaves ${node}`, there.length > 0 ? [takenOff(node, there)] : []),
    ...waved(`ceph: the manager of ${node}`, manager ? [forgotten(up.node, node)] : []),
  ]
}

/** What the node's manifest says that a monitor and a manager have there; nothing where it does not tell. */
function heldThere(facts: Facts, node: string): Left[] {
  const manifest = facts.peek(node, kept)
  if (!manifest.known) return []
  const names = [
    heldMon(node).name,
    heldQuorum(node).name,
    unitOf('mon', node),
    unitOf('mgr', node),
  ] as string[]
  const found = manifest.value.entries.filter(e => e.component === COMPONENT && names.includes(e.name))
  // Units alone leave by themselves, with what else is no longer kept there.
  return found.some(({ kind }) => kind === 'held') ? found : []
}

const takenOut = (node: string, leaving: string): Step =>
  step({
    node,
    says: `take the monitor ${leaving} out of the map, if the others keep their majority`,
    risk: 'destroy',
    deadlineMs: OUT_MS,
    act: { do: 'run', argv: ['python3', '-c', fill('ceph/take-out.py', {}), node, leaving] },
  })

const takenOff = (node: string, takes: Left[]): Step =>
  step({
    node,
    says: `stop its monitor and manager, and remove ${monStore(node)}`,
    risk: 'destroy',
    deadlineMs: OUT_MS,
    act: shell(TAKE_OFF, monStore(node), unitOf('mon', node), unitOf('mgr', node)),
    takes,
  })

const TAKE_OFF = `set -eu
store=$1; shift
for unit; do
  [ "$(systemctl show --property=LoadState --value -- "$unit")" != not-found ] || continue
  systemctl --quiet disable --now -- "$unit"
  systemctl reset-failed -- "$unit" 2>/dev/null || :
done
rm -rf --one-file-system -- "$store"
sync /var/lib/ceph`

const forgotten = (node: string, leaving: string): Step =>
  tell({
    node,
    says: `let the manager of ${leaving} in no more`,
    risk: 'destroy',
    commands: [{ cmd: { prefix: 'auth rm', entity: `mgr.${leaving}` } }],
  })

const waved = (says: string, steps: Step[]): Wave[] => (steps.length > 0 ? [{ says, steps }] : [])
