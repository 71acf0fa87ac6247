import type { Fact } from './fact.ts'

export interface Link {
  name: string
  mac?: string
  mtu: number
  up: boolean
  addresses: { address: string; prefixLength: number }[]
}

/** The node's network interfaces with their addresses, of both families. */
export const network: Fact<Link[]> = {
  id: 'network',
  deadlineMs: 5_000,
  script: 'exec ip -j addr show',
  parse(stdout) {
    const links: unknown = JSON.parse(stdout)
    if (!Array.isArray(links)) throw new Error('it is no list')
    return links.filter(link => link.ifname).map(linkOf)
  },
}

/** The interface that has the address; undefined when none has. */
export const linkWith = (links: Link[], address: string): Link | undefined =>
  links.find(link => link.addresses.some(a => a.address === address))

interface Said {
  ifname: string
  mtu: number
  address?: string
  flags?: string[]
  addr_info?: { local: string; prefixlen: number }[]
}

function linkOf({ ifname, mtu, address, flags = [], addr_info = [] }: Said): Link {
  if (typeof mtu !== 'number') throw new Error(`${ifname} has no MTU`)
  return {
    name: ifname,
    ...(address && !/^(00:){5}00$/.test(address) && { mac: address }),
    mtu,
    up: flags.includes('UP'),
    addresses: addr_info
      .filter(({ local }) => local !== undefined)
      .map(({ local, prefixlen }) => ({ address: local, prefixLength: prefixlen })),
  }
}
