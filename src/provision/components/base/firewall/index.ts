import type { WantedNode } from '../../../cluster/cluster.ts'
import type { Facts } from '../../../facts/fact.ts'
import type { Item, OpeningItem } from '../../../os/item.ts'
import { fill } from '../../../os/template.ts'
import type { Step } from '../../../reconcile/step.ts'
import type { View } from '../../component.ts'
import { addressesOf } from '../addresses.ts'
import { firewall } from './fact.ts'
import { type Rules, rulesOf, sourcesOfNodes } from './rules.ts'
import { sshPorts } from './sshd.ts'
import { confirmation, trial } from './trial.ts'

export const UNIT = 'llmagentos-firewall.service'
const FILE = '/etc/llmagentos/firewall.nft'
const UNIT_FILE = `/etc/systemd/system/${UNIT}`
const ours = { mode: 0o644, owner: 'root:root' } as const

/** Undefined where nothing is filtered: in mode `check`, and in `ours` on a node without ports of ours. */
export function wantedRules(view: View<unknown>, facts: Facts, node: WantedNode): Rules | undefined {
  const { mode, allow } = view.cluster.firewall
  const ports = portsOn(view, node)
  if (mode === 'check' || (mode === 'ours' && ports.length === 0)) return undefined
  const ssh = mode === 'strict' ? facts.get(node.name, sshPorts) : []
  const nodes = addressesOf(view, facts, node)
  return rulesOf({
    mode: mode === 'strict' ? 'strict' : 'ours',
    allow,
    ports,
    nodes,
    ssh,
    from: view.cluster.gateway.from,
  })
}

/** What must be there before the rules are loaded. */
export function before(view: View<unknown>, facts: Facts, node: WantedNode): Item[] {
  if (!wantedRules(view, facts, node)) return []
  const nft: Item = { kind: 'package', names: ['nftables'], held: false, says: 'the firewall' }
  return [nft, ...openings(view, facts, node)]
}

/** What keeps the rules over a reboot: only once they are confirmed. */
export function after(view: View<unknown>, facts: Facts, node: WantedNode): Item[] {
  const rules = wantedRules(view, facts, node)
  if (!rules) return []
  const unit = fill(`base/${UNIT}`, {})
  return [
    { kind: 'file', ...ours, path: FILE, text: rules.text, says: says(view) },
    {
      kind: 'file',
      ...ours,
      path: UNIT_FILE,
      text: unit,
      says: 'loads the firewall at boot',
    },
    { kind: 'unit', name: UNIT, says: 'loads the firewall at boot' },
  ]
}

/** Loads rules that are not loaded, or were changed by hand, on trial. */
export function load(view: View<unknown>, facts: Facts, node: WantedNode): Step[] {
  const rules = wantedRules(view, facts, node)
  if (!rules) return []
  const now = facts.get(node.name, firewall)
  if (now.digest !== rules.digest) return trial(node.name, rules, { says: says(view) })
  if (!now.untouched) return trial(node.name, rules, { says: 'put back, they were changed by hand' })
  return now.onTrial ? [confirmation(node.name, rules)] : []
}

/** Whether a step is about what keeps the rules over a reboot. */
export const keeps = ({ act }: Step) =>
  act.do === 'write' ? [FILE, UNIT_FILE].includes(act.path) : act.do === 'run' && act.argv.includes(UNIT)

export const portsOn = (view: View<unknown>, node: WantedNode) => view.ports.filter(p => p.node === node.name)

const says = ({ cluster }: View<unknown>) =>
  cluster.firewall.mode === 'strict' ? 'only what the cluster needs comes in' : 'who may reach our ports'

/** Through the machine's own firewalls: they drop what they do not know. */
function openings(view: View<unknown>, facts: Facts, node: WantedNode): OpeningItem[] {
  const { gateway, network, firewall: settings } = view.cluster
  const { others } = facts.get(node.name, firewall)
  const nodes = sourcesOfNodes(addressesOf(view, facts, node), network.nodes)
  const from = gateway.from.map(n => `${n.address}/${n.prefixLength}`)
  const ports = portsOn(view, node).flatMap(({ port, protocol, by, ...p }) =>
    (p.from === 'loopback' ? [] : p.from === 'public' ? from : nodes).map(source => ({
      port,
      protocol,
      source,
      by,
    })),
  )
  const allowed = settings.allow.flatMap(({ from: n, tcp, udp }) =>
    [
      ...tcp.map(port => ({ port, protocol: 'tcp' as const })),
      ...udp.map(port => ({ port, protocol: 'udp' as const })),
    ].map(o => ({ ...o, source: `${n.address}/${n.prefixLength}`, by: 'firewall.allow' })),
  )
  return others.flatMap(through =>
    [...ports, ...allowed].map(
      ({ source, by, ...o }) => ({ kind: 'opening', through, from: source, ...o, says: by }) as const,
    ),
  )
}
