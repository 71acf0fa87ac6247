import { EXIT, Failure } from '../../errors.ts'
import type { WantedNode } from '../cluster/cluster.ts'
import type { Finding } from '../components/component.ts'
import { type Facts, UnknownFact } from '../facts/fact.ts'
import { kept } from '../facts/kept.ts'
import { goneSteps, keptBy } from '../os/index.ts'
import { missingSecrets, withSecrets } from '../secrets/given.ts'
import type { Step, Wave } from './step.ts'
import type { Part } from './view.ts'

/** What one component would change, in waves. */
export interface ComponentPlan {
  component: string
  waves: Wave[]
  /** What the rest of the plan waits for, when it cannot be made yet. */
  later?: string
}

/** Round 1 of every component, in their order, then what leaves. Only those with something to do, or something that stopped. */
export function planAll(parts: Part[], o: { nodes: WantedNode[]; facts: Facts }): ComponentPlan[] {
  return [...parts.map(part => planOf(part, o.facts)), ...leaving(parts, o)].filter(
    plan => plan.waves.length > 0 || plan.later !== undefined,
  )
}

export function planOf({ component, view }: Part, facts: Facts): ComponentPlan {
  component.refuse?.(view, facts)
  const missing = missingSecrets(component, view, facts)
  if (missing.length > 0)
    return { component: component.name, waves: [], later: `the secret ${missing.join(', ')} is there` }
  return { component: component.name, waves: component.plan(withSecrets(component, view, facts), facts) }
}

/**
 * What nodes keep, by their manifests, of components that are no longer placed there, or that no longer keep it; those who need others
 * leave first. A part whose facts are unknown loses nothing. Throws Failure (9) for one that holds data or a vote.
 */
export function leaving(parts: Part[], o: { nodes: WantedNode[]; facts: Facts }): ComponentPlan[] {
  const order = parts.map(part => part.component.name)
  const named = new Set(o.nodes.flatMap(node => keptBy(node.name, o.facts)))
  const gone = [...named].filter(name => !order.includes(name))
  return [...gone, ...order.toReversed()].flatMap(name => {
    const part = parts.find(p => p.component.name === name)
    // What it keeps is not known before its secrets are.
    if (part && missingSecrets(part.component, part.view, o.facts).length > 0) return []
    const steps: Step[] = []
    const stopped: NonNullable<Wave['stopped']> = []
    for (const node of o.nodes) {
      try {
        const placed = part?.view.nodes.includes(node)
        const items = placed
          ? part!.component.items(withSecrets(part!.component, part!.view, o.facts), o.facts, node)
          : []
        const own = goneSteps({ node: node.name, component: name, items, facts: o.facts })
        if (own.length > 0 && !placed)
          refuseLeaving(name, { node: node.name, facts: o.facts, verb: part?.component.leave !== undefined })
        steps.push(...own)
      } catch (thrown) {
        if (!(thrown instanceof UnknownFact)) throw thrown
        stopped.push({ node: node.name, why: `${thrown.message} ${thrown.why ?? ''}`.trim() })
      }
    }
    // Why a node's part stopped is told by the component's own plan already.
    return steps.length > 0
      ? [{ component: name, waves: [{ says: `what ${name} no longer keeps`, steps, stopped }] }]
      : []
  })
}

function refuseLeaving(
  component: string,
  { node, facts, verb }: { node: string; facts: Facts; verb: boolean },
): void {
  const held = facts
    .get(node, kept)
    .entries.filter(entry => entry.component === component && entry.kind === 'held')
  if (held.length === 0) return
  throw new Failure(`${component} is no longer wanted on ${node}, and nothing was changed.`, {
    exit: EXIT.unsafe,
    why: `it holds data or a vote there (${held.map(({ name }) => name).join(', ')}), and \`up\` never takes that away`,
    next: `Place ${component} on ${node} again in cluster.yaml. ${verb ? `If it is to leave: llmagentos node demote ${node}` : 'Taking it out is for `node drain`, which this version does not have.'}`,
  })
}

export function judgeAll(parts: Part[], facts: Facts): { component: string; finding: Finding }[] {
  return parts.flatMap(({ component, view }) =>
    findingsOf({ component, view }, facts).map(finding => ({ component: component.name, finding })),
  )
}

function findingsOf({ component, view }: Part, facts: Facts): Finding[] {
  const missing = missingSecrets(component, view, facts)
  if (missing.length === 0) return component.judge(withSecrets(component, view, facts), facts)
  return [{ level: 'unknown', says: `the secret ${missing.join(', ')} is not there yet` }]
}

export const stepsOf = (plans: ComponentPlan[]): Step[] =>
  plans.flatMap(plan => plan.waves.flatMap(wave => wave.steps))

export const stoppedIn = (plans: ComponentPlan[]) =>
  plans.flatMap(plan =>
    plan.waves.flatMap(wave => (wave.stopped ?? []).map(one => ({ component: plan.component, ...one }))),
  )

/** `up` adds, changes and restarts; what destroys has a verb of its own. */
export function refuseDestroying(plans: ComponentPlan[]): void {
  const found = stepsOf(plans).filter(step => step.risk === 'destroy')
  if (found.length === 0) return
  throw new Failure('This would destroy something, and nothing was changed.', {
    exit: EXIT.unsafe,
    why: found.map(step => `${step.node}: ${step.says}`).join('\n'),
  })
}
