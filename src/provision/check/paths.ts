import { familyOf } from '../cluster/addresses.ts'
import type { WantedNode } from '../cluster/cluster.ts'
import type { Finding } from '../components/component.ts'
import { type Path, paths as probe, type Walked } from '../facts/paths.ts'
import { type Concern, onEach, type Site } from './concern.ts'

/** Whole packets get from each node to each other one: where small ones alone do, connections open and then stand still. */
export const paths: Concern = {
  name: 'mtu',
  probe: true,
  facts(site, node) {
    const ways = waysOf(site, node)
    return ways.length > 0 ? [pathsFact(site, node)] : []
  },
  judge(site, facts) {
    const nodes = site.nodes.filter(node => waysOf(site, node).length > 0)
    const fact = (node: WantedNode) => pathsFact(site, node)
    return onEach({ nodes, facts, what: 'whether large packets get through' }, fact, (found, node) => {
      const wrong = waysOf(site, node).flatMap((way, i) =>
        site.nodes.includes(way.node) ? judgeWay(way, found[i]!) : [],
      )
      const whole = found.filter(({ large }) => large === 'answered')
      const says = `Packets of ${[...new Set(whole.map(({ mtu }) => mtu))].join(' and ')} bytes get through to the others.`
      if (wrong.length > 0) return wrong
      return whole.length > 0 ? [{ level: 'ok', says }] : []
    })
  },
}

interface Way extends Path {
  node: WantedNode
}

/** To where nodes talk, and where storage nodes copy; for addresses alone, of which the file is sure. */
export function waysOf({ cluster, asked }: Site, from: WantedNode): Way[] {
  const { storage } = cluster.network
  const keeps = (node: WantedNode) => node.roles.includes('storage') && node.storageAddress !== undefined
  return asked
    .filter(node => node !== from)
    .flatMap((node): Way[] => [
      { node, address: node.address },
      ...(keeps(from) && keeps(node) && node.storageAddress !== node.address
        ? [{ node, address: node.storageAddress!, ...(storage?.mtu !== undefined && { mtu: storage.mtu }) }]
        : []),
    ])
    .filter(({ address }) => familyOf(address) === 'ipv4')
}

/** One question for all who want to know of it. */
export const pathsFact = (site: Site, node: WantedNode) =>
  probe(waysOf(site, node).map(({ address, mtu }) => ({ address, ...(mtu !== undefined && { mtu }) })))

/** A router that says that a packet is too large makes connections send smaller ones. One that nothing gets to is told by `reach`. */
function judgeWay({ node, address, mtu }: Way, { small, large, mtu: sent }: Walked): Finding[] {
  const lost = small && (large === 'lost' || (large === 'told' && mtu !== undefined))
  if (!lost) return []
  return [
    {
      level: 'bad',
      says: `Packets of ${sent} bytes do not get through to ${node.name} (${address}), and small ones do.`,
      fix: `Set one MTU on the interfaces of both nodes and on what lies between them${mtu === undefined ? '' : ', or correct network/storage/mtu'}.`,
    },
  ]
}
