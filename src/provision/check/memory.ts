import type { WantedNode } from '../cluster/cluster.ts'
import type { Finding } from '../components/component.ts'
import type { Facts } from '../facts/fact.ts'
import { memory as fact, type Memory } from '../facts/memory.ts'
import { type Concern, onEach, type Site } from './concern.ts'
import { percent, size } from './units.ts'

const MOST = 0.9

/** What components may use, and what the file keeps free, fits into nine tenths of the memory. */
export const memory: Concern = {
  name: 'memory',
  facts: () => [fact],
  judge: (site, facts) =>
    onEach({ ...site, facts, what: 'how much memory it has' }, fact, (found, node) => [
      judgeMemory(found, { node, wanted: memoryWanted(site, node, facts) }),
    ]),
}

/** The sum of what components may use on the node, without what the file keeps free; bytes. */
export const memoryWanted = ({ parts }: Site, node: WantedNode, facts: Facts): number =>
  parts
    .filter(({ view }) => view.nodes.includes(node))
    .reduce((sum, { component, view }) => sum + component.uses(view, node, facts).memoryBytes, 0)

function judgeMemory({ totalBytes }: Memory, o: { node: WantedNode; wanted: number }): Finding {
  const reserved = o.node.memory.reserveBytes
  const sum = o.wanted + reserved
  const kept = reserved > 0 ? `, and ${size(reserved)} are kept free,` : ''
  const says = `The cluster may use ${size(o.wanted)} of memory${kept} of ${size(totalBytes)} (${percent(sum, totalBytes)}).`
  if (sum <= totalBytes * MOST) return { level: 'ok', says }
  return {
    level: 'bad',
    says,
    fix: `Place less on it, keep less free (nodes/memory/reserve), or add memory: at most ${percent(MOST, 1)}.`,
  }
}
