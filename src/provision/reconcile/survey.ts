import type { WantedNode } from '../cluster/cluster.ts'
import type { Connection } from '../connections/connection.ts'
import type { Fact } from '../facts/fact.ts'
import { type Gathered, gather } from '../facts/gather.ts'
import { nodeFacts } from '../os/index.ts'
import { issued } from '../secrets/certificates/issued.ts'
import { secretsFact } from '../secrets/fact.ts'
import { recoveryFact } from '../secrets/recovery.ts'
import { appliedFact } from './applied.ts'
import type { Part } from './view.ts'

export interface Survey {
  parts: Part[]
  nodes: WantedNode[]
  connections: Map<string, Connection>
  /** Questions beside those of the components, such as preflight's. */
  also?(node: WantedNode): Fact<unknown>[]
  signal?: AbortSignal
}

/** Asks every node all that the components want to know of it, in one script each. */
export function survey(o: Survey): Promise<Gathered> {
  const asked = o.nodes.map(node => ({
    connection: o.connections.get(node.name)!,
    facts: questions(node, o),
  }))
  return gather(asked, { signal: o.signal })
}

/** What one node is asked. */
export function questions(
  node: WantedNode,
  { parts, also }: Pick<Survey, 'parts' | 'also'>,
): Fact<unknown>[] {
  const ofParts = parts
    .filter(({ view }) => view.nodes.includes(node))
    .flatMap(({ component, view }) => component.facts(view, node))
  const remembered = node.roles.includes('control') ? [appliedFact, secretsFact, issued, recoveryFact] : []
  return [...nodeFacts, ...remembered, ...ofParts, ...(also?.(node) ?? [])]
}
