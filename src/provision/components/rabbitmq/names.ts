import type { Cluster, WantedNode } from '../../cluster/cluster.ts'
import { chosen } from '../../cluster/select.ts'
import { pathsOf } from '../../secrets/certificates/paths.ts'
import type { Port, View } from '../component.ts'
import type { Config } from './schema.ts'

export const COMPONENT = 'rabbitmq'
export const PACKAGE = 'rabbitmq-server'
export const UNIT = 'rabbitmq-server.service'
export const DATA = '/var/lib/rabbitmq/mnesia'
export const VHOST = '/'

/** Our own user of the management API; it stands in for `guest`. */
export const ADMIN = 'llmagentos'
/** What an HTTP client sends for it; root's alone. */
export const AUTHORIZATION = '/etc/llmagentos/rabbitmq-authorization'

export const COOKIE_SECRET = 'rabbitmq-cookie'
export const ADMIN_SECRET = 'rabbitmq-admin'

/** Of the broker, for clients and for the other brokers. */
export const CERTIFICATE = 'rabbitmq'
export const { key: KEY_FILE, certificate: CERTIFICATE_FILE } = pathsOf(CERTIFICATE)

export const PORTS = { epmd: 4369, distribution: 25_672, management: 15_672, prometheus: 15_692 } as const

export const placed = (cluster: Cluster, config: Config): WantedNode[] =>
  cluster.nodes.filter(node => chosen(node, config.on))

/** Long names, because a host's short one may mean 127.0.1.1 on itself. */
export const brokerName = (cluster: Cluster, node: WantedNode) =>
  `rabbit@${node.name}.${cluster.network.domain}`

/** What `up` never removes: the node has a vote, and messages. */
export const held = { component: COMPONENT, kind: 'held', name: DATA } as const

export function ports({ cluster, config }: View<Config>): Port[] {
  const path = ['components', COMPONENT]
  return placed(cluster, config).flatMap(({ name: node }): Port[] => [
    port(node, config.port, { from: 'nodes', by: 'RabbitMQ', path: [...path, 'port'] }),
    port(node, PORTS.epmd, { from: 'nodes', by: "Erlang's port mapper", path }),
    port(node, PORTS.distribution, { from: 'nodes', by: 'RabbitMQ for other brokers', path }),
    port(node, PORTS.management, { from: 'loopback', by: "RabbitMQ's management", path }),
    port(node, PORTS.prometheus, { from: 'loopback', by: "RabbitMQ's metrics", path }),
  ])
}

const port = (node: string, number: number, o: Pick<Port, 'from' | 'by' | 'path'>): Port => ({
  node,
  port: number,
  protocol: 'tcp',
  ...o,
})
