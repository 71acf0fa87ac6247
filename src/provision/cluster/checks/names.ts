import type { Cluster } from '../cluster.ts'
import type { Path, Problem } from '../problems.ts'
import { ROLES } from '../schema/fields.ts'

/** Words that mean something else where a node's name can stand (`--limit`, `on:`), or on every machine. */
const NOT_A_NODE = ['localhost', 'all', 'none', ...ROLES]

/** A node named `control` or a cluster named `local` could not be told from what the word means already. */
export function reservedNames(cluster: Cluster): Problem[] {
  const problems: Problem[] = cluster.nodes.flatMap((node, i) =>
    NOT_A_NODE.includes(node.name)
      ? [
          {
            path: ['nodes', i, 'name'],
            says: `${node.name} is a word of its own`,
            fix: 'Choose another name, such as node1.',
          },
        ]
      : [],
  )
  if (cluster.name === 'local')
    problems.push({
      path: ['name'],
      says: 'local is the cluster on your own machine',
      fix: 'Choose another name.',
    })
  return problems
}

/** A name is a node's identity, so no two nodes share one, and none has as its name how another is reached. */
export function duplicateNames({ nodes }: Cluster): Problem[] {
  const twice = repeated(nodes.map((node, i) => ({ key: node.name, path: ['nodes', i, 'name'] })))
  const confused = nodes.flatMap((node, i) => {
    const other = nodes.find(n => n.name !== node.name && [n.address, n.ssh.host].includes(node.name))
    return other
      ? [
          {
            path: ['nodes', i, 'name'],
            says: `is also the address of node ${other.name}`,
            fix: 'Rename one.',
          },
        ]
      : []
  })
  return [...twice, ...confused]
}

/** One model has one entry: two would disagree about its replicas. */
export function duplicateModels({ models }: Cluster): Problem[] {
  return repeated(models.map((model, i) => ({ key: model.name, path: ['models', i, 'name'] })))
}

/** All but the first of each key. */
export function repeated(all: { key: string; path: Path }[]): Problem[] {
  return all.flatMap(({ key, path }, i) => {
    const first = all.findIndex(other => other.key === key)
    return first < i
      ? [{ path, says: `${key} is also at ${all[first]!.path.join('/')}`, fix: 'Each needs its own.' }]
      : []
  })
}
