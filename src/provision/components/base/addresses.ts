import { familyOf } from '../../cluster/addresses.ts'
import type { WantedNode } from '../../cluster/cluster.ts'
import type { Facts } from '../../facts/fact.ts'
import { names } from '../../facts/names.ts'
import type { View } from '../component.ts'

/** What a node is asked to resolve: the addresses that are names, and every node's name in the cluster's domain. */
export const namesFact = ({ cluster }: View<unknown>) =>
  names([
    ...cluster.nodes.map(node => node.address).filter(address => familyOf(address) === undefined),
    ...cluster.nodes.map(node => fullName(cluster, node)),
  ])

export const fullName = (cluster: View<unknown>['cluster'], node: WantedNode) =>
  `${node.name}.${cluster.network.domain}`

/** IPv4 address of a node as `from` sees it; undefined for a name that means nothing there, or only loopback. */
export function addressOf(of: WantedNode, o: { view: View<unknown>; facts: Facts; from: WantedNode }) {
  if (familyOf(of.address) !== undefined) return of.address
  const found = o.facts.get(o.from.name, namesFact(o.view)).get(of.address) ?? []
  return found.find(address => !address.startsWith('127.'))
}

/** The addresses of all nodes in every network of the cluster, as a node sees them. */
export function addressesOf(view: View<unknown>, facts: Facts, from: WantedNode): string[] {
  const found = view.cluster.nodes.flatMap(node => [
    addressOf(node, { view, facts, from }),
    node.storageAddress,
  ])
  return [
    ...new Set(found.filter(address => address !== undefined && familyOf(address) === 'ipv4')),
  ] as string[]
}
