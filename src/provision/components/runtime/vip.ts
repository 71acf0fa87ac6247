import type { WantedNode } from '../../cluster/cluster.ts'
import { type Fact, type Facts, UnknownFact } from '../../facts/fact.ts'
import { linkWith, network } from '../../facts/network.ts'
import type { Item } from '../../os/item.ts'
import { sha256 } from '../../os/now.ts'
import { fill } from '../../os/template.ts'
import { inputLines } from '../../os/unit.ts'
import { addressOf, namesFact } from '../base/addresses.ts'
import type { View } from '../component.ts'
import { gatewaysOf } from './layout.ts'
import type { Config } from './schema.ts'

const UNIT = 'keepalived.service'
const SCRIPT = '/etc/llmagentos/gateway-answers'

export const vipFacts = (view: View<Config>, node: WantedNode): Fact<unknown>[] =>
  hasVip(view, node) ? [network, namesFact(view)] : []

/** keepalived on every gateway, which gives the address to one whose gateway answers. They hear of each other by unicast. */
export function vipItems(view: View<Config>, facts: Facts, node: WantedNode): Item[] {
  if (!hasVip(view, node)) return []
  const file = { kind: 'file', mode: 0o644, owner: 'root:root' } as const
  const conf = confOf(view, facts, node)
  const script = fill('runtime/gateway-answers', { port: view.cluster.gateway.port })
  const inputs = sha256(conf + script).slice(0, 16)
  return [
    { kind: 'package', names: ['keepalived'], held: false, says: 'moves the address of the gateways' },
    {
      ...file,
      mode: 0o755,
      path: SCRIPT,
      text: script,
      says: 'tells keepalived whether the gateway answers',
    },
    { ...file, path: '/etc/keepalived/keepalived.conf', text: conf, says: 'the address of the gateways' },
    {
      ...file,
      path: `/etc/systemd/system/${UNIT}.d/llmagentos.conf`,
      text: fill('runtime/keepalived.service.d/llmagentos.conf', {
        inputs: { lines: [inputLines(inputs, { process: true }).trimEnd()] },
      }),
      says: 'what it was started from',
    },
    { kind: 'unit', name: UNIT, says: 'gives the address to a gateway that answers', inputs },
  ]
}

const hasVip = (view: View<Config>, node: WantedNode) =>
  view.cluster.gateway.vip !== undefined && gatewaysOf(view).includes(node)

function confOf(view: View<Config>, facts: Facts, node: WantedNode): string {
  const { cluster } = view
  const vip = cluster.gateway.vip!
  const gateways = gatewaysOf(view)
  const address = own(node, { view, facts, from: node })
  const link = linkWith(facts.get(node.name, network), address)
  if (!link)
    throw new UnknownFact(node.name, { fact: 'the interface of its address', why: `none has ${address}` })
  return fill('runtime/keepalived.conf', {
    node: node.name,
    script: SCRIPT,
    interface: link.name,
    router: routerOf(`${cluster.name} ${vip.address}`),
    priority: 200 - gateways.indexOf(node),
    address,
    peers: {
      lines: gateways.filter(other => other !== node).map(other => own(other, { view, facts, from: node })),
    },
    vip: `${vip.address}/${vip.prefixLength}`,
  })
}

function own(of: WantedNode, o: { view: View<Config>; facts: Facts; from: WantedNode }): string {
  const address = addressOf(of, o)
  if (address) return address
  throw new UnknownFact(o.from.name, {
    fact: `the address of ${of.name}`,
    why: `${of.address} means none there`,
  })
}

/** 1 to 255, as VRRP wants it; clusters of one network get unlike ones most of the time, and unicast keeps them apart in any case. */
const routerOf = (name: string) => (Number.parseInt(sha256(name).slice(0, 8), 16) % 255) + 1
