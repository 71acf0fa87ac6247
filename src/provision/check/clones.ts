import { networkText, startOf } from '../cluster/addresses.ts'
import type { WantedNode } from '../cluster/cluster.ts'
import type { Finding } from '../components/component.ts'
import { identity } from '../facts/identity.ts'
import { linkWith, network } from '../facts/network.ts'
import { type Concern, naming, onEach, told } from './concern.ts'

/** Machines that were copied have one machine id, host name, hardware address or host key among them. */
export const clones: Concern = {
  name: 'clones',
  facts: () => [identity, network],
  judge({ nodes }, facts) {
    const found = told(nodes, facts, identity)
    const of = (pick: (value: (typeof found)[number]['value']) => string[]): Owner[] =>
      found.flatMap(({ node, value }) => pick(value).map(key => ({ node, key })))
    const macs = told(nodes, facts, network).flatMap(({ node, value }) => {
      const link = linkWith(value, node.address)
      const at = link?.addresses.find(a => a.address === node.address)
      // The same hardware address in two networks disturbs nobody.
      return link?.mac && at
        ? [{ node, key: `${link.mac} in ${networkText({ ...at, address: startOf(at) })}` }]
        : []
    })
    const shared = [
      ...twice(
        of(v => [v.machineId].filter(Boolean)),
        {
          level: 'bad',
          says: (_, others) => `It has the machine id of ${others}: one is a copy of the other.`,
          fix: 'On all but one: rm -f /etc/machine-id /var/lib/dbus/machine-id; systemd-machine-id-setup; reboot',
        },
      ),
      ...twice(macs, {
        level: 'bad',
        says: (mac, others) => `It has the hardware address ${mac}, as ${others}.`,
        fix: 'Give each network card an address of its own, where the machine was copied.',
      }),
      ...twice(
        of(v => [v.hostname]),
        {
          level: 'warn',
          says: (name, others) => `It calls itself ${name}, as ${others}.`,
          fix: 'Give each its own: hostnamectl hostname NAME',
        },
      ),
      ...twice(
        // One of several keys is enough to know a copy; it is told once.
        of(v => v.hostKeys.slice(0, 1)),
        {
          level: 'warn',
          says: (_, others) =>
            `It shows the SSH host key of ${others}: who has one of them can pass for the other.`,
          fix: 'On all but one: rm /etc/ssh/ssh_host_*; ssh-keygen -A; systemctl restart ssh. Then enrol it anew.',
        },
      ),
    ]
    const single = onEach({ nodes, facts, what: 'who it is' }, identity, ({ machineId, hostname }, node) => {
      if (!machineId)
        return [
          {
            level: 'bad',
            says: 'It has no machine id.',
            fix: 'Make one there: systemd-machine-id-setup; then reboot.',
          },
        ]
      if (shared.some(finding => finding.node === node.name)) return []
      return [{ level: 'ok', says: `It calls itself ${hostname}, and shares no identity.` }]
    })
    return [...single, ...shared]
  },
}

interface Owner {
  node: WantedNode
  key: string
}

function twice(
  owners: Owner[],
  o: { level: 'bad' | 'warn'; says(key: string, others: string): string; fix: string },
): Finding[] {
  return owners.flatMap(({ node, key }) => {
    const others = owners.filter(owner => owner.key === key && owner.node !== node)
    if (others.length === 0) return []
    const says = o.says(key, naming(others.map(owner => owner.node.name)))
    return [{ level: o.level, node: node.name, says, fix: o.fix }]
  })
}
