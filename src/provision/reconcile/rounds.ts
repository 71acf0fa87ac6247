import type { Connection } from '../connections/connection.ts'
import type { Facts } from '../facts/fact.ts'
import { type ApplyOptions, applyWaves, type Failed } from './apply.ts'
import { type ComponentPlan, leaving, planOf, refuseDestroying, stepsOf } from './plan.ts'
import { type Survey, survey } from './survey.ts'

// Far above what a component needs, which is two or three.
const MOST_ROUNDS = 8

export interface Rounds extends Survey, Omit<ApplyOptions, 'component'> {
  connections: Map<string, Connection>
  /** For verbs of which that is the purpose, once somebody agreed. */
  mayDestroy?: boolean
}

export interface Outcome {
  /** As the last gathering found them. */
  facts: Facts
  done: number
  failed: Failed[]
}

/**
 * Component by component, gathers, plans and applies until nothing is left to do, then takes away what is no longer kept. Stops at the first
 * component that fails. Throws an error of ours when a step that succeeded is wanted again.
 */
export async function rounds(o: Rounds, first: Facts): Promise<Outcome> {
  const outcome: Outcome = { facts: first, done: 0, failed: [] }
  for (const part of o.parts) {
    await untilEmpty(o, outcome, facts => [planOf(part, facts)])
    if (outcome.failed.length > 0) return outcome
  }
  await untilEmpty(o, outcome, facts => leaving(o.parts, { nodes: o.nodes, facts }))
  return outcome
}

/** Gathers, plans and applies until the plan is empty or a step failed; adds to the outcome. */
export async function untilEmpty(
  o: Rounds,
  outcome: Outcome,
  plan: (facts: Facts) => ComponentPlan[],
): Promise<void> {
  const succeeded = new Map<string, string>()
  for (let round = 1; ; round++) {
    const plans = plan(outcome.facts)
    const steps = stepsOf(plans)
    const late = plans.find(one => one.later !== undefined)
    if (steps.length === 0 && late) throw new Error(`${late.component} still waits until ${late.later}`)
    if (steps.length === 0) return
    const again = steps.find(step => succeeded.has(step.id))
    if (again)
      throw new Error(
        `${again.node}: "${again.says}" succeeded and is wanted again: its fact does not see its act`,
      )
    if (round > MOST_ROUNDS)
      throw new Error(`there is still something to do after ${MOST_ROUNDS} rounds: ${steps[0]!.says}`)
    if (!o.mayDestroy) refuseDestroying(plans)
    for (const { component, waves } of plans) {
      const applied = await applyWaves(waves, { ...o, component })
      for (const step of applied.done) succeeded.set(step.id, step.says)
      outcome.done += applied.done.length
      outcome.failed.push(...applied.failed)
    }
    o.signal?.throwIfAborted()
    const found = await survey(o)
    outcome.facts = found.facts
    if (outcome.failed.length > 0) return
  }
}
