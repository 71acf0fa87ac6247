import { type Judged, preflightFacts, preflight as preflightOf } from '../check/index.ts'
import type { Cluster, WantedNode } from '../cluster/cluster.ts'
import type { Component } from '../components/component.ts'
import { registry } from '../components/index.ts'
import type { Connection } from '../connections/connection.ts'
import type { Fact, Facts } from '../facts/fact.ts'
import { type Applied, lastApplied, nextApplied, rememberSteps } from '../reconcile/applied.ts'
import { type ComponentPlan, planAll, stepsOf } from '../reconcile/plan.ts'
import { questions, survey } from '../reconcile/survey.ts'
import { type Part, partsOf } from '../reconcile/view.ts'
import { recoverySteps } from '../secrets/recovery.ts'
import type { SecretWish } from '../secrets/wish.ts'
import { guard } from './members.ts'
import { present, type Skipped } from './present.ts'

/** What `plan` and `up` need of whoever calls them. */
export interface Wanted {
  cluster: Cluster
  /** All that there are, unless given. */
  components?: Component[]
  /** Those of this run: without the ones that are expected to be offline, and within `--on`. */
  nodes: WantedNode[]
  connections: Map<string, Connection>
  /** Nodes that have no connection, and what was thrown instead. */
  unreached: Map<string, unknown>
  /** The file that was last applied or seen from here. */
  base: Pick<Applied, 'number' | 'file'> | undefined
  forget: string[]
  replaceApplied?: number
  /** `user@host` of the operator, and the version of this CLI. */
  who: string
  version: string
  signal?: AbortSignal
}

/** The cluster as it was found. */
export interface Seen {
  parts: Part[]
  nodes: WantedNode[]
  control: WantedNode[]
  skipped: Skipped[]
  facts: Facts
  last: Applied | null
  /** What stands against a change, and what is to be known before one. */
  preflight(): Judged[]
}

/** And what would change. */
export interface Look extends Seen {
  plans: ComponentPlan[]
}

/** Gathers and plans; changes nothing. Throws Failure for nodes that must be there (4), and for a file that may not be applied (9). */
export async function look(o: Wanted): Promise<Look> {
  const seen = await see(o)
  return { ...seen, plans: plansOf(o, seen) }
}

/** Gathers alone, for verbs that do something else than `up` would. Throws as look does, but for what components refuse. */
export async function see(o: Wanted): Promise<Seen> {
  const { components = registry } = o
  const everyone = partsOf(o.cluster, { components, nodes: o.nodes })
  const asked = o.nodes.filter(node => o.connections.has(node.name))
  const site = { cluster: o.cluster, parts: everyone, asked, nodes: asked }
  const also = (node: WantedNode) => preflightFacts(site, node)
  const { facts, unreached } = await survey({ ...o, nodes: asked, parts: everyone, also })
  const { nodes, skipped } = present(o.nodes, new Map([...o.unreached, ...unreached]))
  const control = nodes.filter(node => node.roles.includes('control'))
  const last = lastApplied(control, facts)
  guard({ ...o, last })
  const parts = skipped.length === 0 ? everyone : partsOf(o.cluster, { components, nodes })
  const preflight = () => preflightOf({ ...site, nodes }, facts)
  return { parts, nodes, control, skipped, facts, last, preflight }
}

/** All that each node is asked when everybody takes part; `bench:noop` asks the same by other ways. */
export function questionsOf(cluster: Cluster, nodes: WantedNode[]): Map<string, Fact<unknown>[]> {
  const parts = partsOf(cluster, { components: registry, nodes })
  const site = { cluster, parts, asked: nodes, nodes }
  const also = (node: WantedNode) => preflightFacts(site, node)
  return new Map(nodes.map(node => [node.name, questions(node, { parts, also })]))
}

/** What the cluster remembers of itself is not a component's. */
export const MEMORY = 'cluster'

/** Everything that `up` would do in its first round; the last thing is to remember the file. */
export function plansOf(
  o: Wanted,
  { parts, nodes, control, facts }: Pick<Seen, 'parts' | 'nodes' | 'control' | 'facts'>,
): ComponentPlan[] {
  const record = nextApplied({ ...o, last: lastApplied(control, facts), now: new Date() })
  const wishes = wishesOf(parts)
  const steps = [
    ...rememberSteps(record, { control, facts }),
    ...recoverySteps({ cluster: o.cluster, control, wishes, facts }),
  ]
  const remember = { component: MEMORY, waves: [{ says: 'remember what was applied', steps }] }
  return [...planAll(parts, { nodes, facts }), ...(steps.length > 0 ? [remember] : [])]
}

/** The secrets that the cluster has. */
export const wishesOf = (parts: Part[]): readonly SecretWish[] => parts[0]?.view.wishes ?? []

export const nothingToDo = (plans: ComponentPlan[]) => stepsOf(plans).length === 0
