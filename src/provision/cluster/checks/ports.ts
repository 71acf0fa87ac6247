import type { Cluster } from '../cluster.ts'
import type { Path, Problem } from '../problems.ts'

/** One port on one node, and who wants it. */
export interface PortClaim {
  node: string
  port: number
  protocol: 'tcp' | 'udp'
  by: string
  /** The field that moves it. */
  path: Path
}

/** Two listeners cannot have one port of a node: the second would not start. */
export function overlappingPorts(claims: PortClaim[]): Problem[] {
  return claims.flatMap((claim, i) => {
    const first = claims.findIndex(
      c => c.node === claim.node && c.port === claim.port && c.protocol === claim.protocol,
    )
    const holder = claims[first]!
    return first === i || holder.by === claim.by
      ? []
      : [
          {
            path: claim.path,
            says: `${claim.protocol} port ${claim.port} of ${claim.node} is wanted by ${holder.by} and by ${claim.by}`,
            fix: 'Move one of them.',
          },
        ]
  })
}

/** A port behind a bastion or a forwarding is the node's own too, unless `ssh.host` says that we come another way. */
export function portsOf({ nodes, gateway }: Cluster): PortClaim[] {
  return nodes.flatMap(node => {
    const claims: PortClaim[] = []
    if (node.ssh.host === node.address)
      claims.push({
        node: node.name,
        port: node.ssh.port ?? 22,
        protocol: 'tcp',
        by: 'sshd',
        path: ['ssh', 'port'],
      })
    if (node.roles.includes('control'))
      claims.push({
        node: node.name,
        port: gateway.port,
        protocol: 'tcp',
        by: 'the gateway',
        path: ['gateway', 'port'],
      })
    return claims
  })
}
