import { EXIT, Failure } from '../../errors.ts'
import type { Cluster, WantedNode } from '../../provision/index.ts'

/**
 * The nodes that `--on` means, in the order of the file: of each word a node's name, else a role, else a label as key=value.
 * Without words all but those whose state is `offline`. Throws Failure (2) for a word that means no node.
 */
export function chooseNodes(cluster: Cluster, on: string[] | undefined): WantedNode[] {
  if (on === undefined) return cluster.nodes.filter(node => node.state !== 'offline')
  const words = on.flatMap(text => text.split(',')).map(word => word.trim())
  const chosen = new Set(words.flatMap(word => meant(word, cluster.nodes)))
  return cluster.nodes.filter(node => chosen.has(node))
}

/** One node by its name. Throws Failure (2) when there is none. */
export function nodeNamed(cluster: Cluster, name: string): WantedNode {
  const node = cluster.nodes.find(node => node.name === name)
  if (node) return node
  throw new Failure(`There is no node ${name}.`, {
    exit: EXIT.usage,
    next: `There are ${names(cluster.nodes)}.`,
  })
}

function meant(word: string, nodes: WantedNode[]): WantedNode[] {
  const named = nodes.filter(node => node.name === word)
  if (named.length > 0) return named
  const [, key, value] = /^([^=]+)=(.+)$/.exec(word) ?? []
  const found = nodes.filter(node =>
    key === undefined ? node.roles.some(role => role === word) : node.labels[key] === value,
  )
  if (found.length > 0) return found
  throw new Failure(`--on ${word || "''"} means no node.`, { exit: EXIT.usage, next: known(nodes) })
}

function known(nodes: WantedNode[]): string {
  const roles = [...new Set(nodes.flatMap(node => node.roles))]
  const labels = [...new Set(nodes.flatMap(node => Object.entries(node.labels).map(([k, v]) => `${k}=${v}`)))]
  const some = labels.length > 0 ? `; labels ${labels.slice(0, 12).join(', ')}` : ''
  return `Nodes are ${names(nodes)}; roles ${roles.join(', ')}${some}.`
}

function names(nodes: WantedNode[]): string {
  const first = nodes.slice(0, 20).map(node => node.name)
  return `${first.join(', ')}${nodes.length > first.length ? ' ...' : ''}`
}
