import { SERVICE_PORTS } from '../../../contracts/ports.ts'
import type { Port, View } from '../component.ts'
import { gatewaysOf, processesOf } from './layout.ts'
import type { Config } from './schema.ts'
import { signerPorts } from './signer.ts'

/** Processes whose nodes depend on where the store is. */
const FOLLOW = ['data', 'auth', 'task']

/** Where services listen for each other, and where clients come in. What follows the store may be on any control node. */
export function ports(view: View<Config>): Port[] {
  const control = view.cluster.nodes.filter(node => node.roles.includes('control'))
  const [home] = control
  if (!home) return []
  const internal = processesOf(view, { kind: 'embedded', home }).flatMap(({ name, services, nodes }) => {
    const where = FOLLOW.includes(name) ? control : nodes
    return services.flatMap(name =>
      where.map(
        (node): Port => ({
          node: node.name,
          port: SERVICE_PORTS[name],
          protocol: 'tcp',
          from: 'nodes',
          by: name === 'gateway' ? 'the gateway, for other services' : name,
          path: ['components', 'runtime'],
        }),
      ),
    )
  })
  const outside = gatewaysOf(view).map(
    (node): Port => ({
      node: node.name,
      port: view.cluster.gateway.port,
      protocol: 'tcp',
      from: 'public',
      by: 'the gateway',
      path: ['gateway', 'port'],
    }),
  )
  return [...outside, ...internal, ...signerPorts(view.cluster)]
}
