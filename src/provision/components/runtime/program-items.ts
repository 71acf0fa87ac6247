import { architectureOf } from '../../artifacts/architecture.ts'
import { type Artifacts, artifactsFor } from '../../artifacts/index.ts'
import type { WantedNode } from '../../cluster/cluster.ts'
import type { Facts } from '../../facts/fact.ts'
import type { Item } from '../../os/item.ts'
import { fill } from '../../os/template.ts'
import { COMMAND, NODE, RELEASE } from './places.ts'

/** What every node has of ours. */
export function programItems(facts: Facts, node: WantedNode): Item[] {
  const { bundle, node: interpreter } = artifactsOn(facts, node)
  return [
    { kind: 'release', path: NODE, artifact: interpreter.name, says: 'what our programs run on' },
    { kind: 'release', path: RELEASE, artifact: bundle.name, says: 'our programs' },
    {
      kind: 'file',
      path: COMMAND,
      text: fill('runtime/llmagentos', { node: `${NODE}/bin/node`, program: `${RELEASE}/bin/llmagentos.js` }),
      mode: 0o755,
      owner: 'root:root',
      says: 'the command, for people on the node',
    },
  ]
}

/** Those for the node's processor. Throws UnknownFact for one that we have no programs for. */
export const artifactsOn = (facts: Facts, { name }: WantedNode): Artifacts =>
  artifactsFor(architectureOf(facts, name))
