import type { WantedNode } from '../../cluster/cluster.ts'
import { type Facts, UnknownFact } from '../../facts/fact.ts'
import { kept } from '../../facts/kept.ts'
import { itemSteps } from '../../os/index.ts'
import type { Finding, View } from '../component.ts'
import { healthOf } from './health.ts'
import { holds, homeOf } from './home.ts'
import { items } from './items.ts'
import { UNIT } from './places.ts'
import type { Config } from './schema.ts'

/** Whether the programs lie on every node, and whether the services answer. */
export function judge(view: View<Config>, facts: Facts): Finding[] {
  const holders = view.cluster.nodes.filter(({ name }) => holds(name, facts)).map(({ name }) => name)
  const twice: Finding[] =
    holders.length > 1
      ? [{ level: 'bad', says: `${holders.join(' and ')} each hold a store; the first one is used.` }]
      : []
  return [...twice, ...view.nodes.flatMap(node => judged(node, { view, facts }))]
}

function judged(node: WantedNode, { view, facts }: { view: View<Config>; facts: Facts }): Finding[] {
  const on = { node: node.name }
  try {
    const wanted = items(view, facts, node)
    const todo = itemSteps({ ...on, component: 'runtime', items: wanted, facts })
    const programs: Finding =
      todo.length === 0
        ? { ...on, level: 'ok', says: 'Our programs lie there as planned.' }
        : {
            ...on,
            level: 'bad',
            says: `${todo.length} of ours are not as planned.`,
            fix: 'Run `cluster up`.',
          }
    return homeOf(view, facts) === node ? [programs, service(node.name, { view, facts })] : [programs]
  } catch (thrown) {
    if (!(thrown instanceof UnknownFact)) throw thrown
    return [{ ...on, level: 'unknown', says: `${thrown.message} ${thrown.why ?? ''}`.trim() }]
  }
}

function service(node: string, { view, facts }: { view: View<Config>; facts: Facts }): Finding {
  const state = facts.get(node, kept).units.get(UNIT)?.active ?? 'gone'
  if (state !== 'active')
    return {
      level: 'bad',
      node,
      says: `The services are ${state}.`,
      fix: `Look: llmagentos node logs ${node} ${UNIT}`,
    }
  if (!facts.get(node, healthOf(view.cluster.gateway.port)))
    return {
      level: 'bad',
      node,
      says: 'The services run, and the gateway does not answer.',
      fix: `Look: llmagentos node logs ${node} ${UNIT}`,
    }
  return {
    level: 'ok',
    node,
    says: 'The services answer; the store is on its disk alone (one copy).',
  }
}
