import type { ServiceName } from '../../../contracts/identity.ts'
import type { WantedNode } from '../../cluster/cluster.ts'
import type { View } from '../component.ts'
import type { Config } from './schema.ts'
import type { Store } from './store.ts'

/** One unit: the services in it, in the order in which they need each other, and the nodes that run it, the first of them first. */
export interface Process {
  name: string
  services: ServiceName[]
  nodes: WantedNode[]
}

/**
 * Which processes there are, in the order in which they need each other. What works on an embedded store alone stays beside it, on `home`,
 * where in any case the one dispatcher is. Executors elsewhere hear of tasks over a broker; without one, the one executor lives in the process
 * of the task service.
 */
export function processesOf(view: View<Config>, store: Store): Process[] {
  const { replicas } = view.config
  const { home } = store
  const control = controlOf(view)
  const first = (count = control.length) => control.slice(0, count)
  const tasks: Process[] = hasBroker(view)
    ? [
        { name: 'task', services: ['task'], nodes: [home] },
        {
          name: 'executor',
          services: ['executor'],
          nodes: [...control, ...withRole(view, 'compute')].slice(0, replicas.executor),
        },
      ]
    : [{ name: 'task', services: ['task', 'executor'], nodes: [home] }]
  return [
    { name: 'data', services: ['data'], nodes: store.kind === 's3' ? first(replicas.data) : [home] },
    { name: 'auth', services: ['auth'], nodes: authOf(view, store) },
    { name: 'worker', services: ['worker'], nodes: workersOf(view) },
    { name: 'llm', services: ['llm'], nodes: first(replicas.llm) },
    ...tasks,
    { name: 'gateway', services: ['gateway'], nodes: gatewaysOf(view) },
  ]
}

/** One, or three of which any may be away; the first beside an embedded store. */
export function authOf(view: View<Config>, store: Store): WantedNode[] {
  const control = controlOf(view)
  const count = view.config.replicas.auth ?? (control.length >= 3 ? 3 : 1)
  const beside = store.kind === 'embedded' ? [store.home] : []
  return [...new Set([...beside, ...control])].slice(0, count)
}

/** Where clients come in. */
export const gatewaysOf = (view: View<Config>): WantedNode[] =>
  controlOf(view).slice(0, view.config.replicas.gateway)

/** Machines that answer with models; where there are none, those that there are. */
export function workersOf(view: View<Config>): WantedNode[] {
  const workers = withRole(view, 'worker')
  return workers.length > 0 ? workers : controlOf(view)
}

export const hasBroker = (view: View<Config>): boolean =>
  view.endpoints('amqp', controlOf(view)[0]?.name ?? '').length > 0

export const controlOf = (view: View<Config>): WantedNode[] => withRole(view, 'control')

const withRole = ({ cluster }: View<Config>, role: WantedNode['roles'][number]) =>
  cluster.nodes.filter(node => node.roles.includes(role))
