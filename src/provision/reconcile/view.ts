import type { Cluster, WantedNode } from '../cluster/cluster.ts'
import { inNameOrder } from '../cluster/order.ts'
import type { Problem } from '../cluster/problems.ts'
import { decode } from '../cluster/read/decode.ts'
import type { Item } from '../cluster/read/tree.ts'
import { shapeOf } from '../cluster/schema/shape.ts'
import type { Component, Grant, Port, View } from '../components/component.ts'
import { type SecretWish, together } from '../secrets/wish.ts'

/** A component of this cluster, and what it may see. */
export interface Part {
  component: Component
  view: View<unknown>
}

/**
 * The components that the cluster has, givers before those who need what they give. `nodes` are those that take part in this run; in which
 * order the file has them no component sees. Throws an error of ours for a circle of needs.
 */
export function partsOf(file: Cluster, o: { components: Component[]; nodes: WantedNode[] }): Part[] {
  const cluster = { ...file, nodes: inNameOrder(file.nodes) }
  const wanted = inOrder(o.components.filter(c => c.usual || cluster.components[c.name] !== undefined))
  const ports: Port[] = []
  const wishes: SecretWish[] = []
  const exactTime = new Set<string>()
  const asked: Grant[] = []
  const parts: Part[] = []
  for (const component of wanted) {
    const config = configOf(cluster, component)
    const placed = new Set(component.placed(cluster, config))
    for (const { name } of component.exactTime?.(cluster, config) ?? []) exactTime.add(name)
    const view: View<unknown> = {
      cluster,
      config,
      nodes: inNameOrder(o.nodes).filter(node => placed.has(node)),
      ports,
      exactTime,
      wishes,
      endpoints: (what, from) =>
        parts.flatMap(({ component: giver, view: its }) =>
          giver.gives.includes(what) ? (giver.offers?.(its, from) ?? []) : [],
        ),
      grants: [],
      certificates: (node, { facts, secret }) =>
        parts.flatMap(({ component: one, view: its }) =>
          one.placed(cluster, its.config).includes(node)
            ? (one.certificates?.({ ...its, secret }, facts, node) ?? [])
            : [],
        ),
      secret: name => {
        throw new Error(`${component.name} asks for the secret ${name} before anybody was asked for it`)
      },
    }
    parts.push({ component, view })
  }
  for (const { component, view } of parts) asked.push(...(component.asks?.(view) ?? []))
  for (const { component, view } of parts)
    view.grants.push(...asked.filter(({ of }) => component.gives.includes(of)))
  for (const { component, view } of parts) ports.push(...component.ports(view))
  wishes.push(...together(parts.flatMap(({ component, view }) => component.secrets?.(view) ?? [])))
  return parts
}

/** What the file says in the component's block; without a block, its defaults. */
function configOf(cluster: Cluster, component: Component): unknown {
  const given = cluster.components[component.name]
  if (given !== undefined) return given
  const problems: Problem[] = []
  const nothing: Item = { kind: 'map', entries: new Map(), at: { line: 1, column: 1 } }
  const config = decode(shapeOf(component.schema), nothing, ['components', component.name], { problems })
  if (problems.length > 0) throw new Error(`${component.name} has no defaults: ${JSON.stringify(problems)}`)
  return config
}

function inOrder(components: Component[]): Component[] {
  const out: Component[] = []
  let waiting = components
  while (waiting.length > 0) {
    const ready = waiting.filter(c => !waiting.some(other => other !== c && gives(other, c.needs)))
    if (ready.length === 0)
      throw new Error(`components need each other in a circle: ${waiting.map(c => c.name).join(', ')}`)
    out.push(...ready)
    waiting = waiting.filter(c => !ready.includes(c))
  }
  return out
}

const gives = (component: Component, needs: string[]) => component.gives.some(what => needs.includes(what))
