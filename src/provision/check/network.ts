import { contains, familyOf, networkText, startOf } from '../cluster/addresses.ts'
import type { Cluster, WantedNode } from '../cluster/cluster.ts'
import type { Finding } from '../components/component.ts'
import { type Names, names } from '../facts/names.ts'
import { network as fact, type Link, linkWith } from '../facts/network.ts'
import { type Concern, naming, onEach, told } from './concern.ts'

/** The addresses of the file are really the nodes' own, in the network that the file names, over links of one MTU. */
export const network: Concern = {
  name: 'network',
  facts: ({ cluster }, node) => [fact, ...(isName(node.address) ? [namesOf(cluster, node)] : [])],
  judge({ cluster, nodes }, facts) {
    const found = onEach({ nodes, facts, what: 'which addresses it has' }, fact, (links, node) => {
      const meaning = isName(node.address) ? facts.peek(node.name, namesOf(cluster, node)) : undefined
      if (meaning && !meaning.known)
        return [
          { level: 'unknown', says: `It did not tell what ${node.address} means there: ${meaning.why}.` },
        ]
      const wrong = [
        ...judgeAddress(links, { cluster, node, meaning: meaning?.value }),
        ...judgeStorage(links, { cluster, node }),
      ]
      const link = linkWith(links, node.address)
      const says = link && `It has ${node.address} on ${link.name}, MTU ${link.mtu}.`
      return wrong.length > 0 ? wrong : [{ level: 'ok', says: says ?? `It is ${node.address}.` }]
    })
    return [...found, ...unlikeMtu(told(nodes, facts, fact))]
  },
}

const isName = (address: string) => familyOf(address) === undefined

const namesOf = (cluster: Cluster, node: WantedNode) => names(ownNames(cluster, node))

/** By which the node may be called, its own host name aside. */
export const ownNames = ({ network }: Cluster, { name, address }: WantedNode): string[] => [
  name,
  `${name}.${network.domain}`,
  ...(isName(address) ? [address] : []),
]

function judgeAddress(
  links: Link[],
  o: { cluster: Cluster; node: WantedNode; meaning: Names | undefined },
): Finding[] {
  const { address } = o.node
  const addresses = o.meaning ? (o.meaning.get(address) ?? []) : [address]
  const fix = 'Correct address in the file, or the network there: services listen on it.'
  if (addresses.length === 0)
    return [
      { level: 'bad', says: `It does not know its own address, ${address}.`, fix: 'Write it into DNS.' },
    ]
  return addresses.flatMap((ip): Finding[] => {
    const { nodes } = o.cluster.network
    if (o.meaning && ip.startsWith('127.'))
      return [
        {
          level: 'bad',
          says: `Its address ${address} means ${ip} there, which is no other node's way to it.`,
          fix: `Take ${address} out of the line with ${ip} in /etc/hosts there.`,
        },
      ]
    if (!linkWith(links, ip)) {
      const has = links.flatMap(link => (link.name === 'lo' ? [] : link.addresses.map(a => a.address)))
      const own = has.filter(a => familyOf(a) === familyOf(ip))
      return [
        {
          level: 'bad',
          says: `It does not have the address ${ip}; it has ${own.join(', ') || 'none'}.`,
          fix,
        },
      ]
    }
    if (nodes && !contains(nodes, ip))
      return [
        { level: 'bad', says: `${address} is ${ip}, outside network/nodes (${networkText(nodes)}).`, fix },
      ]
    return []
  })
}

function judgeStorage(links: Link[], o: { cluster: Cluster; node: WantedNode }): Finding[] {
  const { storage } = o.cluster.network
  const address = o.node.storageAddress
  if (!storage || !address || isName(address)) return []
  const link = linkWith(links, address)
  if (!link)
    return [
      {
        level: 'bad',
        says: `It does not have its storageAddress ${address}.`,
        fix: 'Correct it in the file, or the network there.',
      },
    ]
  if (storage.mtu === undefined || link.mtu === storage.mtu) return []
  return [
    {
      level: 'bad',
      says: `${link.name} has an MTU of ${link.mtu}; network/storage/mtu says ${storage.mtu}.`,
      fix: 'Set it on the interface and on the switch, or correct the file.',
    },
  ]
}

/** Within one network only: between networks a router tells the smaller one. */
function unlikeMtu(found: { node: WantedNode; value: Link[] }[]): Finding[] {
  const ends = found.flatMap(({ node, value }) =>
    [node.address, node.storageAddress]
      .filter(address => address !== undefined)
      .flatMap(address => {
        const link = linkWith(value, address)
        const prefix = link?.addresses.find(a => a.address === address)
        return link && prefix
          ? [{ node, link, network: networkText({ ...prefix, address: startOf(prefix) }) }]
          : []
      }),
  )
  return ends.flatMap(({ node, link, network }) => {
    const others = ends.filter(e => e.network === network && e.node !== node && e.link.mtu !== link.mtu)
    const alike = ends.filter(e => e.network === network && e.link.mtu === link.mtu)
    // Those that are fewer are told of; of two, both.
    if (others.length === 0 || alike.length > others.length) return []
    const [first] = others
    return [
      {
        level: 'warn' as const,
        node: node.name,
        says: `${link.name} has an MTU of ${link.mtu}; ${naming(others.map(e => e.node.name))} in ${network} ${others.length > 1 ? 'have' : 'has'} ${first!.link.mtu}.`,
        fix: 'Set all interfaces of one network to the same: large packets get lost, small ones do not.',
      },
    ]
  })
}
