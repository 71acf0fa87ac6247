import type { BusConfig } from '../../../contracts/bus.ts'
import type { WantedNode } from '../../cluster/cluster.ts'
import { CA_FILE } from '../../secrets/authority.ts'
import type { Grant, View } from '../component.ts'
import { controlOf, hasBroker, type Process } from './layout.ts'
import type { Config } from './schema.ts'

/** Processes that give each other hints over a broker, each under a user of its own. */
const USERS = ['task', 'executor']

export const grantsOf = (view: View<Config>): Grant[] =>
  hasBroker(view) && controlOf(view).length > 0 ? USERS.map(as => ({ of: 'amqp', as })) : []

/** The grant of a process; none where it uses no bus. */
export const grantOf = (view: View<Config>, { name }: Process): Grant | undefined =>
  grantsOf(view).find(grant => grant.as === name)

export function busOf(view: View<Config>, process: Process, node: WantedNode): BusConfig | undefined {
  const grant = grantOf(view, process)
  if (!grant) return undefined
  return {
    amqp: {
      cluster: view.cluster.name,
      brokers: view.endpoints('amqp', node.name),
      user: grant.as,
      passwordFile: 'credential:amqp',
      tls: { ca: CA_FILE },
    },
  }
}
