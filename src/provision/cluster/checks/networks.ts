import { contains, endOf, familyOf, type Network, networkText, overlap, startOf } from '../addresses.ts'
import type { Cluster } from '../cluster.ts'
import type { Path, Problem } from '../problems.ts'

/** One family per cluster; the other one is refused by name until it is tested. */
export function familyRefused({ network, nodes, gateway }: Cluster): Problem[] {
  if (network.family === 'ipv6')
    return [
      {
        path: ['network', 'family'],
        says: 'ipv6 is not in this version',
        fix: 'Use the IPv4 addresses of the nodes.',
      },
    ]
  const given: [Path, string | undefined][] = [
    [['network', 'nodes'], network.nodes?.address],
    [['network', 'storage', 'cidr'], network.storage?.cidr.address],
    [['gateway', 'vip'], gateway.vip?.address],
    ...nodes.flatMap((node, i): [Path, string | undefined][] => [
      [['nodes', i, 'address'], node.address],
      [['nodes', i, 'storageAddress'], node.storageAddress],
    ]),
  ]
  return given
    .filter(([, address]) => address && (familyOf(address) ?? network.family) !== network.family)
    .map(([path, address]) => ({
      path,
      says: `${address} is not of the family ${network.family}`,
      fix: 'A cluster has addresses of one family.',
    }))
}

const NOT_REACHABLE = [
  { network: { address: '0.0.0.0', prefixLength: 8 }, says: 'is no address of a machine' },
  { network: { address: '127.0.0.0', prefixLength: 8 }, says: 'is reached from the node itself only' },
  { network: { address: '169.254.0.0', prefixLength: 16 }, says: 'changes with each start (link-local)' },
  { network: { address: '224.0.0.0', prefixLength: 3 }, says: 'is no address of one machine' },
]

/** Other nodes must reach the address, today and after a restart. */
export function unusableAddresses({ nodes }: Cluster): Problem[] {
  const fix = 'Write the address by which the other nodes reach it.'
  return nodes.flatMap((node, i) =>
    (['address', 'storageAddress'] as const).flatMap(field => {
      const address = node[field]
      if (address === undefined) return []
      const bad = NOT_REACHABLE.find(n => contains(n.network, address))
      const local = address === 'localhost' || address.endsWith('.localhost')
      const says = bad?.says ?? (local ? 'is reached from the node itself only' : undefined)
      return says ? [{ path: ['nodes', i, field], says: `${address} ${says}`, fix }] : []
    }),
  )
}

/** An address outside the network that the file names is a typing error in one of the two. Host names are looked up later. */
export function outsideNetwork({ nodes, network }: Cluster): Problem[] {
  return nodes.flatMap((node, i) => [
    ...fits(node.address, network.nodes, { path: ['nodes', i, 'address'], name: 'network/nodes' }),
    ...fits(node.storageAddress, network.storage?.cidr, {
      path: ['nodes', i, 'storageAddress'],
      name: 'network/storage/cidr',
    }),
  ])
}

function fits(
  address: string | undefined,
  network: Network | undefined,
  o: { path: Path; name: string },
): Problem[] {
  if (!address || !network || familyOf(address) !== familyOf(network.address)) return []
  const text = networkText(network)
  if (!contains(network, address))
    return [{ path: o.path, says: `${address} is outside ${text}`, fix: `Correct it, or ${o.name}.` }]
  // Point-to-point networks (/31 and /32) have no such addresses.
  const edge = network.prefixLength < 31 && [startOf(network), endOf(network)].includes(address)
  return edge
    ? [{ path: o.path, says: `${address} stands for the whole network ${text}`, fix: 'Take one in between.' }]
    : []
}

/** Two networks that share addresses cannot be told apart by a route; the same one twice is said by leaving storage out. */
export function overlappingNetworks({ network }: Cluster): Problem[] {
  const { nodes, storage } = network
  if (!nodes || !storage || familyOf(nodes.address) !== familyOf(storage.cidr.address)) return []
  if (!overlap(nodes, storage.cidr)) return []
  return [
    {
      path: ['network', 'storage', 'cidr'],
      says: `${networkText(storage.cidr)} overlaps ${networkText(nodes)}`,
      fix: 'Take network/storage out when copies go over the same network.',
    },
  ]
}

/** A storage network and the addresses in it belong together. */
export function storageNetwork({ nodes, network }: Cluster): Problem[] {
  return nodes.flatMap((node, i): Problem[] => {
    if (!network.storage && node.storageAddress)
      return [
        {
          path: ['nodes', i, 'storageAddress'],
          says: 'is given, but there is no network/storage',
          fix: 'Add network/storage/cidr, or take it out.',
        },
      ]
    if (network.storage && node.roles.includes('storage') && !node.storageAddress)
      return [
        {
          path: ['nodes', i, 'storageAddress'],
          says: `is missing: ${node.name} has the role storage`,
          fix: `Add its address in ${networkText(network.storage.cidr)}.`,
        },
      ]
    return []
  })
}

/** keepalived adds the address to the interface of the nodes' network. */
export function vip({ gateway, network }: Cluster): Problem[] {
  if (!gateway.vip) return []
  const path: Path = ['gateway', 'vip']
  if (
    network.nodes &&
    contains(network.nodes, gateway.vip.address) &&
    gateway.vip.prefixLength < network.nodes.prefixLength
  )
    return [
      {
        path,
        says: `/${gateway.vip.prefixLength} is wider than the network of the nodes`,
        fix: `Write ${gateway.vip.address}/${network.nodes.prefixLength}.`,
      },
    ]
  return fits(gateway.vip.address, network.nodes, { path, name: 'network/nodes' })
}
