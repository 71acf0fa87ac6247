import { reasonOf } from '../../errors.ts'
import type { Proving } from '../components/component.ts'
import type { Facts } from '../facts/fact.ts'
import type { judgeAll } from '../reconcile/plan.ts'
import type { Part } from '../reconcile/view.ts'
import { withSecrets } from '../secrets/given.ts'
import type { UpEvent } from './up.ts'

/** Success is proved, not assumed: each component that can is used once, as a client would. */
export async function proveAll(
  parts: Part[],
  o: Proving & { facts: Facts; onEvent(event: UpEvent): void },
): Promise<ReturnType<typeof judgeAll>> {
  const found: ReturnType<typeof judgeAll> = []
  for (const { component, view } of parts) {
    if (!component.prove) continue
    o.onEvent({ type: 'phase', says: `Proving that ${component.name} works` })
    try {
      const findings = await component.prove(withSecrets(component, view, o.facts), o.facts, o)
      for (const { level, says } of findings) if (level === 'ok') o.onEvent({ type: 'phase', says })
      found.push(...findings.map(finding => ({ component: component.name, finding })))
    } catch (thrown) {
      o.signal?.throwIfAborted()
      const says = `It could not be proved that ${component.name} works: ${reasonOf(thrown)}`
      found.push({ component: component.name, finding: { level: 'bad', says } })
    }
  }
  return found
}
