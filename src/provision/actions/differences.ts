import type { Connection } from '../connections/connection.ts'
import { difference } from '../reconcile/diff.ts'
import { type ComponentPlan, stepsOf } from '../reconcile/plan.ts'

// Longer files are told by their path alone.
const MOST_BYTES = 256 * 1024

/** What each `write` would change in a file that is there, by the step's id. Files with a secret in them are left out. */
export async function differences(
  plans: ComponentPlan[],
  o: { connections: Map<string, Connection>; signal?: AbortSignal },
): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  await Promise.all(
    stepsOf(plans).map(async ({ id, node, act }) => {
      if (act.do !== 'write' || typeof act.text !== 'string') return
      const before = await o.connections.get(node)?.read(act.path, { signal: o.signal })
      if (before === undefined || before.length > MOST_BYTES) return
      found.set(id, difference(before.toString('utf8'), act.text))
    }),
  )
  return found
}
