import { randomBytes } from 'node:crypto'
import { type Applied, applyWaves } from '../reconcile/apply.ts'
import { fence } from '../reconcile/fence.ts'
import { lockHolder } from '../reconcile/lock.ts'
import type { ComponentPlan } from '../reconcile/plan.ts'
import { survey } from '../reconcile/survey.ts'
import { nothingToDo, type Seen, see } from './look.ts'
import { connectionsOf, FENCE_MS, type UpOptions, withLock } from './up.ts'

export interface VerbOptions extends Omit<UpOptions, 'agree' | 'recoveryFile'> {
  /** Asked with all that would be done; throws to stop. */
  agree?(plans: ComponentPlan[]): Promise<void>
}

/**
 * What `up` never does, for the verb that is for it: looks, asks, takes the lock, looks again, and does it, whatever else there is to do.
 * `doing` is what others are told who find the lock taken.
 */
export async function byVerb(
  o: VerbOptions,
  doing: string,
  plan: (found: Seen) => ComponentPlan[],
): Promise<Applied> {
  o.onEvent({
    type: 'phase',
    says: `Looking at ${o.nodes.length} ${o.nodes.length === 1 ? 'node' : 'nodes'}`,
  })
  const found = await see(o)
  const plans = plan(found)
  const applied: Applied = { done: [], failed: [], notRun: [] }
  if (nothingToDo(plans)) return applied
  o.onEvent({ type: 'plan', plans })
  await o.agree?.(plans)
  return withLock(o, { control: found.control, doing }, async ({ signal, number }) => {
    const connections = connectionsOf(found.nodes, o)
    await fence([...connections.values()], number, { deadlineMs: FENCE_MS, signal })
    const { facts } = await survey({ ...found, connections, signal })
    const run = randomBytes(6).toString('hex')
    const holder = () => lockHolder([...connections.values()])
    for (const { component, waves } of plan({ ...found, facts })) {
      const more = await applyWaves(waves, { ...o, connections, run, number, signal, holder, component })
      for (const kind of ['done', 'failed', 'notRun'] as const) applied[kind].push(...(more[kind] as never[]))
      if (applied.failed.length > 0) break
    }
    return applied
  })
}
