import { PORTS } from '../../../contracts/ports.ts'
import * as f from './fields.ts'

export const network = f.block('addresses and names between the nodes', {
  family: f.byDefault('ipv4', f.oneOf('of all addresses; this version refuses ipv6', ['ipv4', 'ipv6'])),
  nodes: f.optional(
    f.network('where every `address` lies; without it, the network that the nodes have on that address'),
  ),
  storage: f.optional(
    f.block('a network of its own for copies between disks; without it they take `nodes`', {
      cidr: f.network('where every `storageAddress` lies'),
      mtu: f.optional(
        f.whole('expected and checked between each pair of nodes, never set', { from: 1280, to: 9216 }),
      ),
    }),
  ),
  domain: f.optional(
    f.text(
      'nodes are NAME.domain in /etc/hosts, host names stay; without it, `NAME.internal` of the cluster',
      {
        pattern: '^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$',
        must: 'a domain name such as halle.internal',
      },
    ),
  ),
})

export const site = f.block('what the place offers', {
  time: f.byDefault(
    [],
    f.listOf('time servers; without them, what the node uses already', f.address('a server')),
  ),
  proxy: f.optional(
    f.block('the way out, for packages and downloads', {
      url: f.url('of the proxy, without user and password'),
      except: f.byDefault([], f.listOf('hosts and .domains reached directly', f.text('a host or .domain'))),
    }),
  ),
  apt: f.byDefault(
    {},
    f.block('packages', { mirror: f.optional(f.url("Debian's archive, in place of the node's own")) }),
  ),
})

export const artifacts = f.block('programs that do not come as packages', {
  mirror: f.optional(
    f.text('a folder of yours with their files, as they are named where they come from', {
      pattern: '^(https?://|file:///)[^\\s]+$',
      must: 'a URL such as https://mirror.example.org/llmagentos or file:///srv/mirror',
    }),
  ),
})

const allowed = f.block('one opening', {
  from: f.network('who may come in'),
  tcp: f.byDefault([], f.listOf('TCP ports', f.port('a port'))),
  udp: f.byDefault([], f.listOf('UDP ports', f.port('a port'))),
})

export const firewall = f.block('what may come in from outside', {
  mode: f.byDefault(
    'ours',
    f.oneOf(
      '`ours` filters the ports of our components only, `strict` drops the rest too, `check` changes nothing and says what is open',
      ['ours', 'strict', 'check'],
    ),
  ),
  allow: f.byDefault([], f.listOf('openings beside those of our components', allowed)),
})

export const gateway = f.block('where clients come in; it runs on the control nodes', {
  names: f.byDefault([], f.listOf('names that clients use, for the certificate', f.address('a name'))),
  port: f.byDefault(PORTS.gateway, f.port('on every gateway node')),
  vip: f.optional(f.addressInNetwork('one address that moves to a gateway that lives (keepalived)')),
  from: f.byDefault(['0.0.0.0/0'], f.listOf('who may reach it', f.network('a network'), { min: 1 })),
  tls: f.optional(
    f.block('your own certificate; without it, one of the cluster CA', {
      certificate: f.path('PEM file with the chain, on the gateway nodes; read again when it changes'),
      key: f.path('PEM file with the key, on the gateway nodes'),
    }),
  ),
})
