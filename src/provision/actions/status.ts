import { Failure, reasonOf } from '../../errors.ts'
import type { WantedNode } from '../cluster/cluster.ts'
import type { Finding } from '../components/component.ts'
import { registry } from '../components/index.ts'
import type { Connection } from '../connections/connection.ts'
import { UnknownFact } from '../facts/fact.ts'
import type { Gathered } from '../facts/gather.ts'
import { type Applied, lastApplied } from '../reconcile/applied.ts'
import { type Holder, lockHolder } from '../reconcile/lock.ts'
import { judgeAll, stepsOf } from '../reconcile/plan.ts'
import { survey } from '../reconcile/survey.ts'
import { type Part, partsOf } from '../reconcile/view.ts'
import { plansOf, type Wanted } from './look.ts'
import { guard } from './members.ts'

/** The cluster as it is now. */
export interface Status {
  /** Those that did not answer, and why. */
  silent: { node: string; why: string }[]
  components: { component: string; findings: Finding[] }[]
  /** Who changes it; null where nobody does. */
  holder: Holder | null | { unknown: string }
  applied: Applied | null
  /** How many steps `up` would begin with, or why it would not. */
  todo: { steps: number; more: boolean } | { refused: string }
}

/** Looks once at every node and changes nothing. Never throws for a node. */
export async function status(o: Wanted): Promise<Status> {
  const { components = registry } = o
  const asked = o.nodes.filter(node => o.connections.has(node.name))
  const everyone = partsOf(o.cluster, { components, nodes: o.nodes })
  const [{ facts, unreached }, holder] = await Promise.all([
    survey({ ...o, nodes: asked, parts: everyone }),
    holderOf(asked, o.connections),
  ])
  const silent = [...o.unreached, ...unreached].map(([node, thrown]) => ({ node, why: whyOf(thrown) }))
  const nodes = asked.filter(node => !unreached.has(node.name))
  const parts = partsOf(o.cluster, { components, nodes })
  const control = nodes.filter(node => node.roles.includes('control'))
  const applied = lastApplied(control, facts)
  return {
    silent,
    components: parts.map((part, i) => ({
      component: part.component.name,
      findings: findingsOf(part, { facts, placed: everyone[i]!.view.nodes.length }),
    })),
    holder,
    applied,
    todo: todoOf({ ...o, parts, nodes, control, facts, applied }),
  }
}

async function holderOf(
  asked: WantedNode[],
  connections: Map<string, Connection>,
): Promise<Status['holder']> {
  const control = asked.filter(node => node.roles.includes('control'))
  if (control.length === 0) return { unknown: 'no control node answers' }
  try {
    return (await lockHolder(control.map(({ name }) => connections.get(name)!))) ?? null
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown
    return { unknown: whyOf(thrown) }
  }
}

/** What stops a component from being judged is said in the place of its health. */
function findingsOf(part: Part, o: { facts: Gathered['facts']; placed: number }): Finding[] {
  if (part.view.nodes.length === 0 && o.placed > 0)
    return [{ level: 'unknown', says: 'None of its nodes answers.' }]
  try {
    return judgeAll([part], o.facts).map(({ finding }) => finding)
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown
    const level = thrown instanceof UnknownFact ? 'unknown' : 'bad'
    return [{ level, says: whyOf(thrown), ...(thrown.next && { fix: thrown.next }) }]
  }
}

type Found = Wanted & Parameters<typeof plansOf>[1] & { applied: Applied | null }

function todoOf(o: Found): Status['todo'] {
  try {
    guard({ ...o, last: o.applied })
    const plans = plansOf(o, o)
    return { steps: stepsOf(plans).length, more: plans.some(plan => plan.later !== undefined) }
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown
    return { refused: thrown.message }
  }
}

const whyOf = (thrown: unknown) =>
  thrown instanceof Failure ? `${thrown.message} ${thrown.why ?? ''}`.trim() : reasonOf(thrown)
