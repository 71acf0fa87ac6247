import type { WantedNode } from '../../cluster/cluster.ts'
import type { Fact, Facts } from '../../facts/fact.ts'
import type { Item } from '../../os/item.ts'
import type { View } from '../component.ts'
import { addressOf, fullName } from './addresses.ts'

const HOSTS = '/etc/hosts'
const TEMPLATE = '/etc/cloud/templates/hosts.debian.tmpl'

/** cloud-init with `manage_etc_hosts` writes /etc/hosts anew from this template at every boot. */
export const template: Fact<boolean> = {
  id: 'template of /etc/hosts',
  deadlineMs: 5_000,
  script: `if [ -f ${TEMPLATE} ]; then echo yes; else echo no; fi`,
  parse(stdout) {
    if (!/^(yes|no)\n?$/.test(stdout)) throw new Error(`${JSON.stringify(stdout)} is neither yes nor no`)
    return stdout.startsWith('yes')
  },
}

/** Every node's name, short and in the cluster's domain, for every node. */
export function nameItems(view: View<unknown>, facts: Facts, node: WantedNode): Item[] {
  const lines = view.cluster.nodes.flatMap(of => {
    const address = addressOf(of, { view, facts, from: node })
    return address ? [`${address} ${fullName(view.cluster, of)} ${of.name}`] : []
  })
  const text = `${lines.join('\n')}\n`
  const says = `names of ${lines.length === 1 ? '1 node' : `${lines.length} nodes`}`
  const block = { kind: 'block', text } as const
  return [
    { ...block, path: HOSTS, says },
    ...(facts.get(node.name, template)
      ? [{ ...block, path: TEMPLATE, says: `${says}, for cloud-init` }]
      : []),
  ]
}
