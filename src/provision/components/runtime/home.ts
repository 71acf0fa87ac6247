import type { WantedNode } from '../../cluster/cluster.ts'
import { type Facts, UnknownFact } from '../../facts/fact.ts'
import { kept } from '../../facts/kept.ts'
import { type Step, step } from '../../reconcile/step.ts'
import type { View } from '../component.ts'
import { STORE } from './places.ts'

const COMPONENT = 'runtime'

/**
 * The node whose disk holds the store: a control node, and once the store is there it stays, however the file is ordered and whatever the
 * node's roles become: a second store somewhere else would be an empty one. Throws UnknownFact where a node that may have it did not tell.
 */
export function homeOf(view: View<unknown>, facts: Facts): WantedNode {
  const control = view.cluster.nodes.filter(node => node.roles.includes('control'))
  const holder = view.cluster.nodes.find(node => holds(node.name, facts))
  if (holder) return holder
  for (const { name } of control) {
    const answer = facts.peek(name, kept)
    if (!answer.known)
      throw new UnknownFact(name, { fact: 'whether it holds the store of the services', why: answer.why })
  }
  return control[0]!
}

/** Whether the node's manifest says that the store is there. */
export function holds(node: string, facts: Facts): boolean {
  const answer = facts.peek(node, kept)
  return (
    answer.known &&
    answer.value.entries.some(e => e.component === COMPONENT && e.kind === 'held' && e.name === STORE)
  )
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
