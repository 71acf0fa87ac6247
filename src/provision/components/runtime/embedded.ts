import type { Fact, Facts } from '../../facts/fact.ts'
import { kept } from '../../facts/kept.ts'
import { type Step, step } from '../../reconcile/step.ts'
import { EMBEDDED, STORE } from './places.ts'

const COMPONENT = 'runtime'

/** Whether an embedded store that is here was moved into object storage, whole: then what is here is a copy that nobody uses. */
export const moved: Fact<boolean> = {
  id: 'store was moved',
  deadlineMs: 5_000,
  script: `if [ -e ${EMBEDDED}/moved.json ]; then echo yes; else echo no; fi`,
  parse(stdout) {
    if (!/^(yes|no)\n?$/.test(stdout)) throw new Error(`${JSON.stringify(stdout)} is neither yes nor no`)
    return stdout.startsWith('yes')
  },
}

/** Whether the node's manifest says that an embedded store is there. */
export function holds(node: string, facts: Facts): boolean {
  const answer = facts.peek(node, kept)
  return (
    answer.known &&
    answer.value.entries.some(e => e.component === COMPONENT && e.kind === 'held' && e.name === STORE)
  )
}

export function wasMoved(node: string, facts: Facts): boolean {
  const answer = facts.peek(node, moved)
  return answer.known && answer.value && holds(node, facts)
}

/** Why the node did not tell whether it holds a store; undefined where it did. */
export function told(node: string, facts: Facts): string | undefined {
  const answer = facts.peek(node, kept)
  return answer.known ? undefined : answer.why
}

/** Writes down that the store is here, before there is one. */
export function keepHere(node: string, facts: Facts): Step[] {
  if (holds(node, facts)) return []
  return [
    step({
      node,
      says: `keep the store of the services here, in ${STORE}`,
      risk: 'add',
      deadlineMs: 60_000,
      act: { do: 'run', argv: ['mkdir', '-p', '-m', '0700', '--', STORE] },
      leaves: [{ component: COMPONENT, kind: 'held', name: STORE }],
    }),
  ]
}
