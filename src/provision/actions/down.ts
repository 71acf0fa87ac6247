import { randomBytes } from 'node:crypto'
import type { WantedNode } from '../cluster/cluster.ts'
import { registry } from '../components/index.ts'
import { traces } from '../facts/traces.ts'
import { lastApplied } from '../reconcile/applied.ts'
import type { Failed } from '../reconcile/apply.ts'
import { fence } from '../reconcile/fence.ts'
import { lockHolder } from '../reconcile/lock.ts'
import { type ComponentPlan, stepsOf } from '../reconcile/plan.ts'
import { type Outcome, type Rounds, untilEmpty } from '../reconcile/rounds.ts'
import { type Survey, survey } from '../reconcile/survey.ts'
import { partsOf } from '../reconcile/view.ts'
import { everybody } from './everybody.ts'
import { forgetAll } from './forget.ts'
import { nothingToDo, type Wanted } from './look.ts'
import { guardLeaving } from './members.ts'
import {
  forgetting,
  type KeptData,
  keptData,
  leavingOrder,
  type Removal,
  remains,
  removalOf,
} from './removal.ts'
import { connectionsOf, FENCE_MS, type UpOptions, withLock } from './up.ts'

export interface DownOptions extends Wanted, Pick<UpOptions, 'lockWaitMs' | 'onEvent'> {
  /** Data goes too. */
  purge: boolean
  /** Asked with all that is to be done, and what stays; throws to stop. */
  agree(plans: ComponentPlan[], kept: KeptData[]): Promise<void>
}

export interface Down {
  changed: number
  failed: Failed[]
  /** Data that stays. */
  kept: KeptData[]
  /** What was seen on the nodes at the end, though it should not be there. */
  remains: { node: string; what: string }[]
  /** Members that took no part. */
  untouched: string[]
}

/** Takes away all that the nodes' manifests say. Whoever reads the result decides on the exit code. */
export async function down(o: DownOptions): Promise<Down> {
  o.onEvent({ type: 'phase', says: `Looking at ${count(o.nodes.length)}` })
  const found = await gone(o)
  if (nothingToDo(found.plans)) return ended(o, found, { done: 0, failed: [] })
  o.onEvent({ type: 'plan', plans: found.plans })
  await o.agree(found.plans, keptData(found))
  const { nodes } = o
  const control = nodes.filter(isControl)
  const removed = await withLock(o, { control, doing: 'cluster down' }, async ({ signal, number }) => {
    const connections = connectionsOf(nodes, o)
    o.onEvent({ type: 'phase', says: 'Making sure that nothing of an earlier run still works' })
    await fence([...connections.values()], number, { deadlineMs: FENCE_MS, signal })
    return remove({ ...o, connections, signal, number }, nodes)
  })
  // A control node cannot forget the lock while it is held.
  if (removed.failed.length === 0) await forgetAll(removed, { ...o, nodes: control })
  o.onEvent({ type: 'phase', says: 'Looking whether anything is left' })
  return ended(o, await gone(o), removed)
}

type Found = Removal & { plans: ComponentPlan[] }

/** Gathers and plans; changes nothing. Throws Failure: 4 for a node that does not answer, 9 for a file without a member. */
async function gone(o: DownOptions): Promise<Found> {
  const { facts, unreached } = await survey(asking(o))
  everybody(o, new Map([...o.unreached, ...unreached]))
  guardLeaving({ ...o, last: lastApplied(o.nodes.filter(isControl), facts) })
  const found = { ...o, facts, order: orderOf(o) }
  const plans = [...leavingOrder(found).map(name => removalOf(name, found)), forgetting(found)]
  return { ...found, plans: plans.filter(plan => stepsOf([plan]).length > 0) }
}

/** Component by component, those who need others first; then everybody but the control nodes forgets the cluster. */
async function remove(o: DownOptions & { number: number }, nodes: WantedNode[]): Promise<Removed> {
  const applying: Rounds = {
    ...o,
    ...asking(o),
    run: randomBytes(6).toString('hex'),
    holder: () => lockHolder([...connectionsOf(nodes.filter(isControl), o).values()]),
    mayDestroy: true,
  }
  const { facts } = await survey(applying)
  const outcome: Outcome = { facts, done: 0, failed: [] }
  const removal = { ...o, nodes, order: orderOf(o) }
  for (const name of leavingOrder({ ...removal, facts })) {
    await untilEmpty(applying, outcome, now => [removalOf(name, { ...removal, facts: now })])
    if (outcome.failed.length > 0) break
  }
  const removed = { ...outcome, number: o.number, plan: forgetting({ ...removal, facts: outcome.facts }) }
  if (outcome.failed.length === 0) await forgetAll(removed, { ...o, nodes: nodes.filter(n => !isControl(n)) })
  return removed
}

export interface Removed extends Outcome {
  number: number
  /** What is forgotten last. */
  plan: ComponentPlan
}

/** What nodes keep says all; no component is asked. */
const asking = ({ nodes, connections, signal }: DownOptions): Survey => ({
  parts: [],
  nodes: nodes.filter(({ name }) => connections.has(name)),
  connections,
  also: () => [traces],
  signal,
})

const orderOf = ({ cluster, nodes, components = registry }: DownOptions): string[] =>
  partsOf(cluster, { components, nodes }).map(part => part.component.name)

function ended(o: DownOptions, found: Found, { done, failed }: Pick<Outcome, 'done' | 'failed'>): Down {
  const taken = new Set(o.nodes.map(({ name }) => name))
  return {
    changed: done,
    failed,
    kept: keptData(found),
    remains: remains(found),
    untouched: o.cluster.nodes.map(({ name }) => name).filter(name => !taken.has(name)),
  }
}

const isControl = (node: WantedNode) => node.roles.includes('control')
const count = (n: number) => `${n} ${n === 1 ? 'node' : 'nodes'}`
