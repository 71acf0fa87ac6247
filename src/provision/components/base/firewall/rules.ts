import { createHash } from 'node:crypto'
import { contains, familyOf, type Network, networkText, startOf } from '../../../cluster/addresses.ts'
import { fill } from '../../../os/template.ts'
import type { Port } from '../../component.ts'

export interface Wanted {
  mode: 'ours' | 'strict'
  /** Of this node. */
  ports: Port[]
  /** IPv4 addresses of all nodes. */
  nodes: string[]
  /** Who may reach what is public. */
  from: Network[]
  allow: { from: Network; tcp: number[]; udp: number[] }[]
  /** Where sshd listens; open to all, and only asked for in `strict`. */
  ssh: number[]
}

export interface Rules {
  /** What nft loads; replaces our table as a whole. */
  text: string
  /** Names the text; the loaded table tells it. */
  digest: string
}

export function rulesOf(wanted: Wanted): Rules {
  const rules = [...openings(wanted), ...(wanted.mode === 'strict' ? strict(wanted) : drops(wanted.ports))]
  const nodes = wanted.nodes.length > 0 ? [`elements = { ${wanted.nodes.join(', ')} }`] : []
  const text = (digest: string) =>
    fill('base/firewall.nft', { nodes: { lines: nodes }, rules: { lines: rules }, digest })
  const digest = createHash('sha256').update(text('')).digest('hex').slice(0, 16)
  return { text: text(digest), digest }
}

function openings({ ports, from, allow }: Wanted): string[] {
  const open = (who: string[], protocol: string, numbers: number[]) =>
    numbers.length === 0 ? [] : who.map(source => `${source} ${protocol} dport ${setOf(numbers)} accept`)
  return [
    ...PROTOCOLS.flatMap(protocol => open(from.map(sources), protocol, numbersOf(ports, protocol, 'public'))),
    ...PROTOCOLS.flatMap(protocol =>
      open(['ip saddr @nodes'], protocol, numbersOf(ports, protocol, 'nodes')),
    ),
    ...allow.flatMap(a => PROTOCOLS.flatMap(protocol => open([sources(a.from)], protocol, a[protocol]))),
  ]
}

/** All that is not ours is the business of others. */
const drops = (ports: Port[]): string[] =>
  PROTOCOLS.flatMap(protocol => {
    const numbers = numbersOf(ports, protocol)
    return numbers.length > 0 ? [`${protocol} dport ${setOf(numbers)} drop`] : []
  })

// Without DHCP a lease could not be renewed, without VRRP every gateway would take the address.
const strict = ({ ssh }: Wanted): string[] => [
  ...(ssh.length > 0 ? [`tcp dport ${setOf(ssh)} accept`] : []),
  'meta l4proto { icmp, ipv6-icmp } accept',
  'udp sport 67 udp dport 68 accept',
  'udp sport 547 udp dport 546 accept',
  'ip protocol vrrp accept',
  'drop',
]

const PROTOCOLS = ['tcp', 'udp'] as const

const numbersOf = (ports: Port[], protocol: string, from?: Port['from']) =>
  ports.filter(p => p.protocol === protocol && (!from || p.from === from)).map(p => p.port)

const setOf = (numbers: number[]) => `{ ${[...new Set(numbers)].sort((a, b) => a - b).join(', ')} }`

function sources(network: Network): string {
  const family = familyOf(network.address) === 'ipv6' ? 'ip6' : 'ip'
  if (network.prefixLength === 0) return `meta nfproto ${family === 'ip6' ? 'ipv6' : 'ipv4'}`
  return `${family} saddr ${networkText({ ...network, address: startOf(network) })}`
}

/** Where one network holds an address of each node, one opening does for all of them. */
export function sourcesOfNodes(addresses: string[], network?: Network): string[] {
  const inside = network ? addresses.filter(address => contains(network, address)) : []
  const outside = addresses.filter(address => !inside.includes(address))
  return [
    ...(network && inside.length > 0 ? [networkText({ ...network, address: startOf(network) })] : []),
    ...outside,
  ]
}
