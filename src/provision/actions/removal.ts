import { EXIT, Failure } from '../../errors.ts'
import type { WantedNode } from '../cluster/cluster.ts'
import type { Facts } from '../facts/fact.ts'
import { kept } from '../facts/kept.ts'
import { STATE, traces } from '../facts/traces.ts'
import { goneSteps, keptBy } from '../os/index.ts'
import { shell } from '../os/now.ts'
import type { ComponentPlan } from '../reconcile/plan.ts'
import { FORGET } from '../reconcile/programs/forget.ts'
import { type Left, type Step, step } from '../reconcile/step.ts'
import { MEMORY } from './look.ts'

export interface Removal {
  nodes: WantedNode[]
  facts: Facts
  /** Components as they are made. */
  order: string[]
  /** Data goes too. */
  purge: boolean
}

/** What stays on a node, because it is data. */
export interface KeptData {
  node: string
  component: string
  path: string
}

/** Names of what nodes keep, in the order of leaving: those who need others first. */
export function leavingOrder({ nodes, facts, order }: Removal): string[] {
  const named = new Set(nodes.flatMap(node => keptBy(node.name, facts)))
  named.delete(MEMORY)
  return [
    ...[...named].filter(name => !order.includes(name)),
    ...order.toReversed().filter(n => named.has(n)),
  ]
}

/** All that one component has on the nodes goes, but data. Throws UnknownFact. */
export function removalOf(component: string, o: Removal): ComponentPlan {
  const steps = o.nodes.flatMap(({ name: node }) => {
    const data = dataOn(node, o.facts).filter(entry => entry.component === component)
    const gone = goneSteps({ node, component, items: [], facts: o.facts, purge: o.purge })
    // Files of a user who is gone would be the next one's.
    const owners = data.length > 0 && !o.purge
    return [
      ...gone.filter(one => !(owners && one.takes.some(left => left.kind === 'user'))),
      ...(o.purge ? destroying(node, data) : []),
    ]
  })
  return { component, waves: steps.length > 0 ? [{ says: `${component} leaves`, steps }] : [] }
}

/** Then nodes forget what they know of the cluster, unless they keep data: then that is still theirs when the next `up` comes. */
export function forgetting({ nodes, facts, purge }: Removal): ComponentPlan {
  const steps = nodes.flatMap(({ name: node }) => {
    const found = facts.get(node, traces)
    const keeps = !purge && dataOn(node, facts).length > 0
    return found.some(trace => !keeps || !mayStay(trace)) ? [keeps ? tidying(node) : forget(node, purge)] : []
  })
  return { component: MEMORY, waves: steps.length > 0 ? [{ says: 'forget the cluster', steps }] : [] }
}

/** What stays where nothing is purged. */
export const keptData = ({ nodes, facts, purge }: Removal): KeptData[] =>
  purge
    ? []
    : nodes.flatMap(({ name: node }) =>
        dataOn(node, facts).map(({ component, name }) => ({ node, component, path: name })),
      )

/** What is on the nodes though it should not be. */
export const remains = (o: Removal): { node: string; what: string }[] =>
  o.nodes.flatMap(({ name: node }) => {
    const keeps = !o.purge && dataOn(node, o.facts).length > 0
    const left = o.facts.get(node, kept).entries.filter(e => !keeps || !['held', 'user'].includes(e.kind))
    return [
      ...left.map(({ kind, name }) => ({ node, what: `${kind} ${name}` })),
      ...o.facts
        .get(node, traces)
        .filter(trace => !keeps || !mayStay(trace))
        .map(what => ({ node, what })),
    ]
  })

/** Where a node keeps data: what it remembers, and what is gone with the next boot. */
const mayStay = (trace: string) => /^\/(var\/lib|run)\//.test(trace)

/** Also what services remember for themselves, in the folders of their users. */
function dataOn(node: string, facts: Facts): Left[] {
  const { entries } = facts.get(node, kept)
  const held = entries.filter(e => e.kind === 'held' && e.component !== MEMORY)
  const users = entries.filter(e => e.kind === 'user')
  const remembered = facts.get(node, traces).flatMap((path): Left[] => {
    const user = users.find(({ name }) => path === `/var/lib/${name}`)
    if (!user || held.some(({ name }) => name === path)) return []
    return [{ component: user.component, kind: 'held', name: path }]
  })
  return [...held, ...remembered]
}

/** What lies in our own folder goes with it. */
function destroying(node: string, data: Left[]): Step[] {
  const takes = data.filter(({ name }) => !name.startsWith(`${STATE}/`))
  const paths = takes.map(({ name }) => name)
  if (paths.length === 0) return []
  const odd = paths.find(path => !/^\/var\/lib\/[^/]+(\/[^/]+)*$/.test(path) || path.includes('/../'))
  if (odd)
    throw new Failure(`${node}: ${odd} cannot be removed by this version.`, {
      exit: EXIT.unsafe,
      why: 'data of ours lies under /var/lib',
    })
  return [
    step({
      node,
      says: `destroy the data in ${paths.join(', ')}`,
      risk: 'destroy',
      deadlineMs: 30 * 60_000,
      act: { do: 'run', argv: ['rm', '-rf', '--one-file-system', '--', ...paths] },
      takes,
    }),
  ]
}

const forget = (node: string, purge: boolean): Step =>
  step({
    node,
    says: `remove ${STATE}: manifest, journal, lock${purge ? ', and secrets where there are any' : ''}`,
    risk: 'destroy',
    deadlineMs: 10 * 60_000,
    act: shell(FORGET, purge ? 'purge' : 'all'),
  })

const tidying = (node: string): Step =>
  step({
    node,
    says: 'remove the folders of ours that are empty now',
    risk: 'change',
    deadlineMs: 120_000,
    act: shell(FORGET, 'empty'),
  })
