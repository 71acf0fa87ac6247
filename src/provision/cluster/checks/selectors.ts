import type { Component } from '../../components/component.ts'
import type { Cluster, WantedNode } from '../cluster.ts'
import type { Path, Problem } from '../problems.ts'
import type { Selector } from '../schema/fields.ts'
import { clusterSchema } from '../schema/index.ts'
import { nameOf, type Shape, shapeOf } from '../schema/shape.ts'
import { chosen } from '../select.ts'

/** An `on:` that chooses no node would quietly do nothing. Found wherever a schema, also a component's, has a selector. */
export function selectorsChoose(cluster: Cluster, components: Component[]): Problem[] {
  return selectorsIn(shapeOf(clusterSchema(components)), cluster, [])
    .filter(({ on }) => !cluster.nodes.some(node => chosen(node, on)))
    .map(({ on, path }) => ({ path, ...nobody(on, cluster.nodes) }))
}

function selectorsIn(shape: Shape, value: unknown, path: Path): { on: Selector; path: Path }[] {
  if (value === undefined || value === null) return []
  if (shape.selector) return [{ on: value as Selector, path }]
  const items = shape.items ?? shape.anyOf?.find(branch => branch.items)?.items
  if (Array.isArray(value)) return value.flatMap((one, i) => selectorsIn(items!, one, [...path, i]))
  const fields = shape.properties ?? shape.anyOf?.find(branch => branch.properties)?.properties ?? {}
  return Object.entries(fields).flatMap(([key, field]) =>
    selectorsIn(field, (value as Record<string, unknown>)[nameOf(key, field)], [...path, key]),
  )
}

function nobody(on: Selector, nodes: WantedNode[]): { says: string; fix: string } {
  if (typeof on === 'string')
    return { says: `no node has the role ${on}`, fix: 'Give one that role, or choose others.' }
  const wanted = Object.entries(on).map(([key, value]) => `${key}: ${value}`)
  const there = [...new Set(nodes.flatMap(n => Object.entries(n.labels).map(([k, v]) => `${k}: ${v}`)))]
  return {
    says: `no node has the label${wanted.length > 1 ? 's' : ''} ${wanted.join(' and ')}`,
    fix: there.length > 0 ? `There are ${there.slice(0, 12).join(', ')}.` : 'No node has labels.',
  }
}

/** Each replica of a model needs a worker node of its own. */
export function replicasFit({ models, nodes }: Cluster): Problem[] {
  return models.flatMap((model, i) => {
    const some = nodes.filter(n => n.roles.includes('worker') && chosen(n, model.on)).length
    if (some === 0 && model.on !== undefined && !nodes.some(n => chosen(n, model.on))) return []
    return model.replicas > some
      ? [
          {
            path: ['models', i, 'replicas'],
            says: `${model.replicas} of ${model.name} are wanted, and ${some} worker ${some === 1 ? 'node' : 'nodes'} can hold one`,
            fix: some === 0 ? 'Give a node the role worker.' : `Write at most ${some}, or choose more nodes.`,
          },
        ]
      : []
  })
}

/** More workers than worker nodes will never run, and a label that no node has orders nothing. */
export function scaleFits({ scale, nodes }: Cluster): Problem[] {
  const problems: Problem[] = []
  const workers = nodes.filter(n => n.roles.includes('worker')).length
  if (scale.worker && scale.worker.max > workers)
    problems.push({
      path: ['scale', 'worker'],
      says: `goes up to ${scale.worker.max}, and the file has ${workers} worker ${workers === 1 ? 'node' : 'nodes'}`,
      fix: 'Lower it, or add nodes.',
    })
  const values = new Set(nodes.flatMap(n => Object.values(n.labels)))
  scale.order.forEach((value, i) => {
    if (!values.has(value))
      problems.push({
        path: ['scale', 'order', i],
        says: `no node has a label with the value ${value}`,
        fix: 'Correct it, or label a node.',
      })
  })
  return problems
}
