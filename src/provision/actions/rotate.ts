import { randomBytes } from 'node:crypto'
import type { Facts } from '../facts/fact.ts'
import { fence } from '../reconcile/fence.ts'
import { lockHolder } from '../reconcile/lock.ts'
import type { ComponentPlan } from '../reconcile/plan.ts'
import { type Outcome, untilEmpty } from '../reconcile/rounds.ts'
import { survey } from '../reconcile/survey.ts'
import { secretSteps, storedOf } from '../secrets/plan.ts'
import { stateOf } from '../secrets/state.ts'
import { COMPONENT, makeNext } from '../secrets/steps.ts'
import type { SecretWish } from '../secrets/wish.ts'
import { type Look, look } from './look.ts'
import { rotatable } from './rotatable.ts'
import { connectionsOf, FENCE_MS, type UpOptions, withLock } from './up.ts'

export interface RotateOptions extends Omit<UpOptions, 'agree' | 'recoveryFile'> {
  name: string
}

/**
 * Gives a secret a new value: it is made beside the one in use, copied to all control nodes, and only then taken into use. Whatever ends it
 * between, the same command or the next `up` goes on. Components take the new value in the next `up`. Throws Failure: 2 for a secret that
 * cannot be rotated, 4 where a control node is missing.
 */
export async function rotate(o: RotateOptions): Promise<Outcome> {
  o.onEvent({ type: 'phase', says: 'Looking at the control nodes' })
  const found = await look(o)
  const wish = rotatable(o, found)
  const doing = `cluster secrets rotate ${o.name}`
  return withLock(o, { control: found.control, doing }, async ({ signal, number }) => {
    const connections = connectionsOf(found.control, o)
    await fence([...connections.values()], number, { deadlineMs: FENCE_MS, signal })
    const run = randomBytes(6).toString('hex')
    const holder = () => lockHolder([...connections.values()])
    const applying = { ...o, ...found, nodes: found.control, connections, run, number, signal, holder }
    const outcome: Outcome = { facts: (await survey(applying)).facts, done: 0, failed: [] }
    await untilEmpty(applying, outcome, planner(wish, { ...o, nodes: found.control }))
    return outcome
  })
}

/** Plans the new value once, unless a rotation was left half-way, and then what ends it. */
function planner(wish: SecretWish, o: Pick<Look, 'nodes'> & Pick<RotateOptions, 'cluster'>) {
  let begun = false
  return (facts: Facts): ComponentPlan[] => {
    const state = stateOf(wish.name, storedOf({ ...o, facts }))
    const first = !begun && state.rotation === undefined
    begun = true
    const steps = first ? [makeNext(state.holders[0]!, wish)] : secretSteps({ ...o, wishes: [wish], facts })
    return [{ component: COMPONENT, waves: [{ says: `the secret ${wish.name}`, steps }] }]
  }
}
