import type { WantedNode } from '../cluster/cluster.ts'
import type { Finding } from '../components/component.ts'
import { type Concern, type Site, untold } from './concern.ts'
import { pathsFact, waysOf } from './paths.ts'
import { span } from './units.ts'

/** What Ceph's monitors bear. */
const FINE_MS = 50

/** Clocks of those nodes on which a fraction of a second matters, as they see each other: no way from here falsifies it. */
export const exact: Concern = {
  name: 'clock',
  probe: true,
  facts: (site, node) => (others(site, node).length > 0 ? [pathsFact(site, node)] : []),
  judge: (site, facts) =>
    site.nodes.flatMap(node => {
      const peers = others(site, node)
      if (peers.length === 0) return []
      const answer = facts.peek(node.name, pathsFact(site, node))
      if (!answer.known)
        return [untold(node, { what: 'how far its clock is from the others', why: answer.why })]
      const up = peers.filter(({ node: peer }) => site.nodes.includes(peer))
      const seen = up.map(({ at }) => answer.value[at]!).filter(one => one.ahead !== undefined)
      const silent = up.filter(({ at }) => answer.value[at]!.small && answer.value[at]!.ahead === undefined)
      return [
        ...silent.map(
          ({ node: peer }): Finding => ({
            level: 'warn',
            node: node.name,
            says: `It could not measure how far the clock of ${peer.name} is from its own.`,
            fix: `Let ICMP timestamps (type 13 and 14) through between them, or compare: chronyc tracking.`,
          }),
        ),
        ...(seen.length > 0 ? [judge(node, seen as Measured[])] : []),
      ]
    }),
}

interface Measured {
  ahead: number
  within: number
}

function others(site: Site, node: WantedNode): { node: WantedNode; at: number }[] {
  const wanted = site.parts[0]?.view.exactTime
  if (!wanted?.has(node.name)) return []
  return waysOf(site, node).flatMap((way, at) =>
    wanted.has(way.node.name) && way.address === way.node.address ? [{ node: way.node, at }] : [],
  )
}

/** Against the middle of all, itself among them: of three the one that differs is named. */
function judge({ name }: WantedNode, seen: Measured[]): Finding {
  const behind = middle([0, ...seen.map(({ ahead }) => ahead)])
  const by = Math.abs(behind)
  const within = Math.max(...seen.map(one => one.within))
  if (by <= FINE_MS)
    return {
      level: 'ok',
      node: name,
      says: `Its clock is within ${span(FINE_MS)} of those that have to agree.`,
    }
  const sure = by - within > FINE_MS
  return {
    level: sure ? 'bad' : 'warn',
    node: name,
    says: `Its clock ${sure ? 'is' : `seems, give or take ${span(within)}, to be`} ${span(by)} ${behind > 0 ? 'behind' : 'ahead of'} those that have to agree within ${span(FINE_MS)}.`,
    fix: 'Look at its time service: chronyc tracking; `cluster up` brings chrony, and site/time names its servers.',
  }
}

function middle(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const half = sorted.length / 2
  return (sorted[Math.ceil(half) - 1]! + sorted[Math.floor(half)]!) / 2
}
