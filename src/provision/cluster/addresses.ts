import { BlockList, isIP } from 'node:net'

export type Family = 'ipv4' | 'ipv6'

export interface Network {
  address: string
  prefixLength: number
}

/** undefined for a host name, whose family nobody knows before it is asked. */
export function familyOf(address: string): Family | undefined {
  const version = isIP(address)
  if (version === 0 || address.includes('%')) return undefined
  return version === 4 ? 'ipv4' : 'ipv6'
}

/** RFC 1123; the last label is never all digits, so 10.0.0.256 is no name. */
export function isHostName(text: string): boolean {
  const labels = text.split('.')
  return (
    text.length <= 253 &&
    labels.every(label => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(label)) &&
    !/^\d+$/.test(labels.at(-1)!)
  )
}

export const prefixBits = (family: Family) => (family === 'ipv4' ? 32 : 128)

export const networkText = (network: Network) => `${network.address}/${network.prefixLength}`

/** False also where the families differ; a host name is in no network. */
export function contains(network: Network, address: string): boolean {
  const family = familyOf(address)
  if (family === undefined || family !== familyOf(network.address)) return false
  const list = new BlockList()
  list.addSubnet(network.address, network.prefixLength, family)
  return list.check(address, family)
}

export function overlap(one: Network, other: Network): boolean {
  return contains(one, other.address) || contains(other, one.address)
}

/** The first address of the network, e.g. 10.0.0.0 for 10.0.0.10/24. */
export function startOf(network: Network): string {
  const bits = prefixBits(familyOf(network.address)!) - network.prefixLength
  return textOf((numberOf(network.address) >> BigInt(bits)) << BigInt(bits), familyOf(network.address)!)
}

/** The last address of the network; in IPv4 it means all of them. */
export function endOf(network: Network): string {
  const family = familyOf(network.address)!
  const bits = BigInt(prefixBits(family) - network.prefixLength)
  return textOf(numberOf(network.address) | ((1n << bits) - 1n), family)
}

function numberOf(address: string): bigint {
  if (familyOf(address) === 'ipv4') return join(address.split('.').map(Number), 8n)
  // A URL spells any IPv6 address in hexadecimal groups, also one that ends as IPv4 does.
  const [left = '', right] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const groups = (text: string) => (text === '' ? [] : text.split(':').map(g => Number.parseInt(g, 16)))
  const [head, tail] = [groups(left), groups(right ?? '')]
  return join([...head, ...new Array(8 - head.length - tail.length).fill(0), ...tail], 16n)
}

const join = (parts: number[], bits: bigint) => parts.reduce((sum, part) => (sum << bits) + BigInt(part), 0n)

function textOf(number: bigint, family: Family): string {
  if (family === 'ipv4') return [24n, 16n, 8n, 0n].map(shift => (number >> shift) & 255n).join('.')
  const groups = Array.from({ length: 8 }, (_, i) =>
    ((number >> BigInt(112 - 16 * i)) & 0xffffn).toString(16),
  )
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
}
