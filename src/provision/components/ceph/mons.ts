import { EXIT, Failure } from '../../../errors.ts'
import { Secret } from '../../../secret.ts'
import type { WantedNode } from '../../cluster/cluster.ts'
import type { Facts } from '../../facts/fact.ts'
import { kept } from '../../facts/kept.ts'
import { shell } from '../../os/now.ts'
import { type Step, step, type Wave } from '../../reconcile/step.ts'
import type { View } from '../component.ts'
import { monAddress } from './conf.ts'
import { keyring } from './keys.ts'
import {
  COMPONENT,
  FSID_SECRET,
  heldMon,
  heldQuorum,
  isMon,
  MON_SECRET,
  monNodes,
  monStore,
  unitOf,
} from './names.ts'
import { IN_QUORUM, MAKE_FIRST, MAKE_JOINING } from './programs.ts'
import type { Config } from './schema.ts'
import { stores } from './stores.ts'
import { anyTold, told } from './told.ts'

const MAKE_MS = 3 * 60_000
// A store that was wiped is filled by the others.
const QUORUM_MS = 5 * 60_000

export interface Mons {
  view: View<Config>
  facts: Facts
  /** Steps that start a mon, by its node. */
  starts: Map<string, Step>
}

/**
 * Mons of a cluster that begins: all at once. Of one that runs: one after the other, each by the map that the quorum gives it. One that was
 * in a quorum before and has lost its store is such a one, too. Throws UnknownFact, and Failure (9) where it would need a quorum that is not there.
 */
export function monWaves(o: Mons): Wave[] {
  const { view, facts } = o
  const nodes = view.nodes.filter(isMon)
  const lacking = nodes.filter(({ name }) => !hasStore(name, facts))
  if (anyTold(view, facts)) return running(o, lacking)
  if (begun(view, facts)) return broughtUp(o, lacking)
  const all = monNodes(view.cluster).map(({ name }) => name)
  const steps = nodes.flatMap(node => [
    ...(lacking.includes(node) ? [makeFirst(o, node)] : []),
    ...listOf(o.starts.get(node.name)),
    inQuorum(node.name, all),
  ])
  return [
    { says: `ceph: ${nodes.length === 1 ? 'a monitor' : `${nodes.length} monitors`} that begin`, steps },
  ]
}

/** A cluster has run, as far as its nodes know. */
const begun = (view: View<Config>, facts: Facts): boolean =>
  view.nodes.filter(isMon).some(({ name }) => {
    const answer = facts.peek(name, told(name))
    const local = answer.known && answer.value.state !== 'none' ? answer.value.local : null
    return notedQuorum(name, facts) || (local?.monmap.epoch ?? 0) > 0
  })

function notedQuorum(node: string, facts: Facts): boolean {
  const { entries } = facts.get(node, kept)
  return entries.some(e => e.component === COMPONENT && e.name === heldQuorum(node).name)
}

/** Written down once it was seen: from now on nobody makes mons of a cluster that begins. */
export const notes = ({ view, facts }: Mons): Step[] =>
  view.nodes
    .filter(node => isMon(node) && hasStore(node.name, facts) && !notedQuorum(node.name, facts))
    .map(({ name }) =>
      step({
        node: name,
        says: 'note that the monitors have had a quorum',
        risk: 'add',
        deadlineMs: 60_000,
        act: { do: 'run', argv: ['test', '-e', heldQuorum(name).name] },
        leaves: [heldQuorum(name)],
      }),
    )

const hasStore = (node: string, facts: Facts) => facts.get(node, stores).mons.includes(node)

/** Mons that are down start all at once; those that join or restart go one after the other. */
function running(o: Mons, blank: WantedNode[]): Wave[] {
  const { starts, view, facts } = o
  const out = takenOut(o)
  const lacking = [...blank, ...out]
  const restarts = [...starts.values()].filter(one => one.risk === 'restart')
  const others = (node: string) =>
    (anyTold(view, facts)?.told.status.quorum_names ?? []).filter(name => name !== node)
  return [
    ...startWaves(o, lacking),
    ...lacking.map(node => ({
      says: `ceph: the monitor of ${node.name} joins`,
      steps: [
        ...(out.includes(node) ? [cleared(node.name)] : []),
        makeJoining(view, node),
        // One that ran until now starts in the next round.
        ...listOf(starts.get(node.name)).flatMap(start => [start, inQuorum(node.name, [])]),
      ],
    })),
    ...restarts.map(one => ({
      says: `ceph: restart the monitor of ${one.node}`,
      steps: [inQuorum(one.node, others(one.node)), one, inQuorum(one.node, others(one.node))],
    })),
  ]
}

/** Their store is of a time when they were in the map, and by it they find their way back to no quorum. */
function takenOut({ view, facts }: Mons): WantedNode[] {
  const inMap = anyTold(view, facts)?.told.mons.mons.map(mon => mon.name) ?? []
  return view.nodes.filter(
    node =>
      isMon(node) &&
      hasStore(node.name, facts) &&
      notedQuorum(node.name, facts) &&
      !inMap.includes(node.name),
  )
}

const cleared = (node: string): Step =>
  step({
    node,
    says: `remove ${monStore(node)}: it was taken out of the map`,
    risk: 'change',
    deadlineMs: 120_000,
    act: shell(
      'systemctl stop -- "$1" 2>/dev/null; set -e; rm -rf --one-file-system -- "$2"; sync /var/lib/ceph/mon',
      unitOf('mon', node),
      monStore(node),
    ),
  })

/**
 * Without a quorum: those who have their store start, and the others join in a later round. Most of them are without one for some seconds
 * too, when one of them has just gone.
 */
function broughtUp(o: Mons, lacking: WantedNode[]): Wave[] {
  const waves = startWaves(o, lacking)
  if (waves.length > 0 || lacking.length === 0) return waves
  const holders = o.view.nodes.filter(node => isMon(node) && !lacking.includes(node)).map(({ name }) => name)
  if (holders.length * 2 > monNodes(o.view.cluster).length)
    return [{ says: 'ceph: the other monitors', steps: holders.map(name => inQuorum(name, holders)) }]
  const names = lacking.map(({ name }) => name).join(', ')
  throw new Failure(
    `The monitors of Ceph have no quorum, and the store of ${names} is gone; nothing was changed.`,
    {
      exit: EXIT.unsafe,
      why: 'a monitor gets its store back from a majority of the others, and made anew it would begin another cluster',
      next: `Bring the other monitors up; or bring back ${lacking.map(({ name }) => heldMon(name).name).join(', ')} from a backup.`,
    },
  )
}

function startWaves({ starts }: Mons, lacking: WantedNode[]): Wave[] {
  const down = [...starts.values()].filter(
    one => one.risk !== 'restart' && !lacking.some(({ name }) => name === one.node),
  )
  if (down.length === 0) return []
  return [{ says: 'ceph: start monitors', steps: down.flatMap(one => [one, inQuorum(one.node, [])]) }]
}

function makeFirst({ view, facts }: Mons, node: WantedNode): Step {
  const all = monNodes(view.cluster).flatMap(mon => [mon.name, monAddress(mon, { view, facts, from: node })])
  return making(view, node, { says: `make the monitor ${node.name}`, program: MAKE_FIRST, words: all })
}

const makeJoining = (view: View<Config>, node: WantedNode): Step =>
  making(view, node, {
    says: `make the monitor ${node.name}, by the map of those that run`,
    program: MAKE_JOINING,
    words: [],
  })

function making(
  view: View<Config>,
  { name }: WantedNode,
  o: { says: string; program: string; words: string[] },
): Step {
  const key = view.secret(MON_SECRET)
  return step({
    node: name,
    says: o.says,
    risk: 'add',
    deadlineMs: MAKE_MS,
    act: {
      do: 'run',
      argv: ['sh', '-c', o.program, 'sh', name, view.secret(FSID_SECRET).reveal(), ...o.words],
      stdin: new Secret(keyring('mon.', key.reveal(), { mon: 'allow *' })),
    },
    leaves: [heldMon(name)],
  })
}

/** Until the mon of a node is in a quorum with the others that are named. */
export const inQuorum = (node: string, others: string[]): Step =>
  step({
    node,
    says:
      others.length > 1
        ? `wait until ${others.join(', ')} have a quorum`
        : 'wait until its monitor is in the quorum',
    risk: 'add',
    deadlineMs: QUORUM_MS,
    act: { do: 'wait', argv: ['python3', '-c', IN_QUORUM, node, ...others.filter(name => name !== node)] },
  })

const listOf = (one: Step | undefined) => (one ? [one] : [])
