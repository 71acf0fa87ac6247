import type { WantedNode } from '../../cluster/cluster.ts'
import { type Facts, UnknownFact } from '../../facts/fact.ts'
import { kept } from '../../facts/kept.ts'
import { itemSteps } from '../../os/index.ts'
import type { Finding, View } from '../component.ts'
import { holds, wasMoved } from './embedded.ts'
import { healthOf } from './health.ts'
import { items } from './items.ts'
import { jobsOf } from './jobs.ts'
import { gatewaysOf, hasBroker, type Process, processesOf } from './layout.ts'
import { EMBEDDED, MOVE_TO, unitOf } from './places.ts'
import { hasS3 } from './s3.ts'
import type { Config } from './schema.ts'
import { type Store, storeOf } from './store.ts'

/** Whether the programs lie on every node, its services run, and the gateways answer. */
export function judge(view: View<Config>, facts: Facts): Finding[] {
  const holders = view.cluster.nodes
    .filter(({ name }) => holds(name, facts) && !wasMoved(name, facts))
    .map(({ name }) => name)
  const twice: Finding[] =
    holders.length > 1
      ? [{ level: 'bad', says: `${holders.join(' and ')} each hold a store; the first one is used.` }]
      : []
  return [...twice, ...view.nodes.flatMap(node => judged(node, { view, facts }))]
}

interface Around {
  view: View<Config>
  facts: Facts
}

function judged(node: WantedNode, { view, facts }: Around): Finding[] {
  const on = { node: node.name }
  try {
    const wanted = items(view, facts, node)
    const todo = itemSteps({ ...on, component: 'runtime', items: wanted, facts })
    const store = storeOf(view, facts)
    const own = processesOf(view, store).filter(({ nodes }) => nodes.includes(node))
    return [
      todo.length === 0
        ? { ...on, level: 'ok', says: 'Our programs lie there as planned.' }
        : {
            ...on,
            level: 'bad',
            says: `${todo.length} of ours are not as planned.`,
            fix: 'Run `cluster up`.',
          },
      ...(own.length > 0 ? [services(node, own, { view, facts })] : []),
      ...jobsOf(view, facts, node),
      ...(store.home === node ? [storeFinding(store, view)] : []),
    ]
  } catch (thrown) {
    if (!(thrown instanceof UnknownFact)) throw thrown
    return [{ ...on, level: 'unknown', says: `${thrown.message} ${thrown.why ?? ''}`.trim() }]
  }
}

function services({ name: node }: WantedNode, own: Process[], { view, facts }: Around): Finding {
  const { units } = facts.get(node, kept)
  const states = own.map(({ name }) => ({ name, state: units.get(unitOf(name))?.active ?? 'gone' }))
  const down = states.filter(({ state }) => state !== 'active')
  const look = (name: string) => `Look: llmagentos node logs ${node} ${unitOf(name)}`
  if (down.length > 0)
    return {
      level: 'bad',
      node,
      says: `Not running: ${down.map(({ name, state }) => `${name} is ${state}`).join(', ')}.`,
      fix: look(down[0]!.name),
    }
  const isGateway = gatewaysOf(view).some(one => one.name === node)
  if (isGateway && !facts.get(node, healthOf(view)))
    return {
      level: 'bad',
      node,
      says: 'The services run, and the gateway does not answer.',
      fix: look('gateway'),
    }
  return {
    level: 'ok',
    node,
    says: `${states.map(({ name }) => name).join(', ')} ${states.length === 1 ? 'runs' : 'run'}.`,
  }
}

function storeFinding({ kind, home: { name: node } }: Store, view: View<Config>): Finding {
  const alone = hasBroker(view) ? '' : `; without a broker tasks are worked off on ${node} alone`
  if (kind === 's3') {
    const [first, ...others] = view.endpoints('s3', node)
    const where = `${first?.host}:${first?.port}${others.length > 0 ? ` and ${others.length} more` : ''}`
    return { level: 'ok', node, says: `The store is object storage, at ${where}${alone}.` }
  }
  const says = `The store is on the disk of ${node} alone (one copy)${alone}.`
  if (!hasS3(view)) return { level: 'ok', node, says }
  return {
    level: 'warn',
    node,
    says,
    fix: `There is object storage now. Move it there, on ${node} as root: systemctl stop ${unitOf('data')}, then llmagentos data migrate --from ${EMBEDDED} --to ${MOVE_TO}; then \`cluster up\`.`,
  }
}
