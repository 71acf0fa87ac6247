import type { Cluster, WantedNode } from '../cluster/cluster.ts'
import type { Finding } from '../components/component.ts'
import type { Fact, Facts } from '../facts/fact.ts'
import type { Step } from '../reconcile/step.ts'
import type { Part } from '../reconcile/view.ts'

/** One thing that can be wrong with machines before anything is installed: what it asks, and what it makes of the answers. */
export interface Concern {
  /** One word, for scripts: `clock`. */
  name: string
  /** It costs seconds, writes, or talks to other machines: `cluster check` alone asks it. */
  probe?: true
  facts(site: Site, node: WantedNode): Fact<unknown>[]
  /** Pure. Its findings name a node by `node` and not in the sentence, so that nodes with the same one can be told together. */
  judge(site: Site, facts: Facts): Finding[]
  /** What can be put right at once, safely, and taken back. Pure; only where the facts are known. */
  repairs?(site: Site, facts: Facts): Step[]
}

export interface Site {
  cluster: Cluster
  parts: Part[]
  /** All nodes that are checked. What a fact is made of must be the same when it is judged, so facts are made of these. */
  asked: WantedNode[]
  /** Those of them that answered; all of them, before anybody was asked. */
  nodes: WantedNode[]
}

/** Judges the answer of each node; one that did not give it is unknown, never fine. `what` ends `It did not tell ...`. */
export function onEach<T>(
  o: { nodes: WantedNode[]; facts: Facts; what: string },
  fact: Fact<T> | ((node: WantedNode) => Fact<T>),
  judge: (value: T, node: WantedNode) => Omit<Finding, 'node'>[],
): Finding[] {
  return o.nodes.flatMap(node => {
    const answer = o.facts.peek(node.name, typeof fact === 'function' ? fact(node) : fact)
    if (!answer.known) return [untold(node, { what: o.what, why: answer.why })]
    return judge(answer.value, node).map(finding => ({ ...finding, node: node.name }))
  })
}

export const untold = (node: WantedNode, o: { what: string; why: string }): Finding => ({
  level: 'unknown',
  node: node.name,
  says: `It did not tell ${o.what}: ${o.why}.`,
})

/** Those nodes that gave the answer, for comparing them with each other. */
export function told<T>(nodes: WantedNode[], facts: Facts, fact: Fact<T>): { node: WantedNode; value: T }[] {
  return nodes.flatMap(node => {
    const answer = facts.peek(node.name, fact)
    return answer.known ? [{ node, value: answer.value }] : []
  })
}

/** `n1`, `n1 and n2`, `n1, n2 and 3 more`. */
export function naming(names: string[]): string {
  if (names.length > 3) return `${names.slice(0, 2).join(', ')} and ${names.length - 2} more`
  return names.join(', ').replace(/, ([^,]*)$/, ' and $1')
}
