import type { Cluster } from '../cluster.ts'
import type { Path, Problem } from '../problems.ts'
import { repeated } from './names.ts'

/** Two nodes with one address are one machine, or one of them is unreachable. A node's own two addresses may be one. */
export function duplicateAddresses({ nodes, gateway }: Cluster): Problem[] {
  const all = nodes.flatMap((node, i) => {
    const own: { key: string; path: Path }[] = [{ key: node.address, path: ['nodes', i, 'address'] }]
    if (node.storageAddress && node.storageAddress !== node.address)
      own.push({ key: node.storageAddress, path: ['nodes', i, 'storageAddress'] })
    return own
  })
  if (gateway.vip) all.push({ key: gateway.vip.address, path: ['gateway', 'vip'] })
  return repeated(all)
}

/** One sshd is one machine: the same host, port and way there must not stand for two nodes. */
export function duplicateSshWays({ nodes }: Cluster): Problem[] {
  return nodes.flatMap(({ ssh }, i) => {
    const first = nodes.findIndex(
      n => n.ssh.host === ssh.host && n.ssh.port === ssh.port && n.ssh.bastion === ssh.bastion,
    )
    if (first === i || nodes[first]!.address === nodes[i]!.address) return []
    return [
      {
        path: ['nodes', i, 'ssh', 'host'],
        says: `${ssh.host} is also how node ${nodes[first]!.name} is reached`,
        fix: 'Two nodes are two machines: correct one of them.',
      },
    ]
  })
}
