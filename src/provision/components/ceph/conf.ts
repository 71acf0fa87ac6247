import { networkText } from '../../cluster/addresses.ts'
import type { WantedNode } from '../../cluster/cluster.ts'
import { type Facts, UnknownFact } from '../../facts/fact.ts'
import { fill } from '../../os/template.ts'
import { addressOf } from '../base/addresses.ts'
import type { View } from '../component.ts'
import { daemonPorts, FSID_SECRET, isMon, MON_PORT, monNodes } from './names.ts'
import { rgwNodes } from './object/gateways.ts'
import { rgwConf } from './object/items.ts'
import { osdConf } from './osds/conf.ts'
import type { Config } from './schema.ts'

/** What every program of Ceph on the node reads: the way to the mons, and how it talks. */
export function confOf(view: View<Config>, facts: Facts, node: WantedNode): string {
  const { storage, nodes } = view.cluster.network
  const inNetwork = nodes ? [`public_network = ${networkText(nodes)}`] : []
  const between = storage ? [`cluster_network = ${networkText(storage.cidr)}`] : []
  return fill('ceph/ceph.conf', {
    fsid: view.secret(FSID_SECRET).reveal(),
    mons: monNodes(view.cluster)
      .map(mon => monAddress(mon, { view, facts, from: node }))
      .join(','),
    networks: { lines: [...inNetwork, ...between, `ms_bind_port_max = ${daemonPorts(view, node).to}`] },
    sections: {
      lines: [
        ...(isMon(node) ? monSection(view, facts, node) : []),
        ...(rgwNodes(view.cluster, view.config).includes(node) ? rgwConf(node.name) : []),
        ...osdConf(view.config, { node, facts }),
      ],
    },
  })
}

/** `[v2:10.0.0.11:3300]`, as mons are named in maps. Throws UnknownFact. */
export function monAddress(
  mon: WantedNode,
  o: { view: View<Config>; facts: Facts; from: WantedNode },
): string {
  const address = addressOf(mon, o)
  if (address) return `[v2:${address}:${MON_PORT}]`
  const why = `${mon.address} means no IPv4 address there`
  throw new UnknownFact(o.from.name, { fact: `the address of the monitor ${mon.name}`, why })
}

/** Read by a mon that is not in the map yet. */
const monSection = (view: View<Config>, facts: Facts, node: WantedNode) => [
  `[mon.${node.name}]`,
  `public_addrv = ${monAddress(node, { view, facts, from: node })}`,
]
