import type { Finding, View } from '../components/component.ts'
import type { Facts } from '../facts/fact.ts'
import { secretsFact } from './fact.ts'
import { absent } from './plan.ts'
import { type Stored, stateOf } from './state.ts'

/** Rotations that wait for a control node; the rest stops `up` before it changes anything. */
export function judge(view: View<unknown>, facts: Facts): Finding[] {
  const stored: Stored = new Map(
    view.nodes.flatMap(({ name, roles }) => {
      const answer = roles.includes('control') ? facts.peek(name, secretsFact) : undefined
      return answer?.known ? [[name, answer.value] as const] : []
    }),
  )
  const missing = absent(view)
  return (view.wishes ?? []).flatMap(({ name }) => {
    const { rotation } = stateOf(name, stored)
    if (!rotation || rotation.begun || missing.length === 0) return []
    return [
      {
        level: 'warn' as const,
        says: `the new value of the secret ${name} is not in use yet: ${missing.join(', ')} takes no part`,
        fix: 'It is taken by the first `up` in which all control nodes take part.',
      },
    ]
  })
}
