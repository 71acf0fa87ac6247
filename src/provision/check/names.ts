import type { Cluster, WantedNode } from '../cluster/cluster.ts'
import type { Finding } from '../components/component.ts'
import { names as fact, type Names } from '../facts/names.ts'
import { type Concern, onEach } from './concern.ts'
import { ownNames } from './network.ts'

/** A node's own names, where they mean something, mean an address by which others reach it. */
export const names: Concern = {
  name: 'names',
  facts: ({ cluster }, node) => [factOf(cluster, node)],
  judge: ({ cluster, nodes }, facts) =>
    onEach(
      { nodes, facts, what: 'what its own names mean' },
      node => factOf(cluster, node),
      (found, node) => {
        const wrong = [...found].flatMap(([name, addresses]) =>
          name === node.address ? [] : judgeName(name, addresses, node),
        )
        return wrong.length > 0 ? wrong : [{ level: 'ok', says: says(found) }]
      },
    ),
}

const factOf = (cluster: Cluster, node: WantedNode) => fact(ownNames(cluster, node))

function judgeName(name: string, addresses: string[], node: WantedNode): Finding[] {
  const loop = addresses.find(a => a.startsWith('127.'))
  if (!loop) return []
  return [
    {
      level: 'warn',
      says: `Its own name ${name === node.name ? '' : `${name} `}means ${loop} there.`,
      fix: `In /etc/hosts there, put that name behind the node's address in place of ${loop}: what listens on its own name would be reached by nobody else.`,
    },
  ]
}

function says(found: Names): string {
  const known = [...found].filter(([, addresses]) => addresses.length > 0)
  if (known.length === 0) return 'Its names mean nothing there yet.'
  return `Its names: ${known.map(([name, addresses]) => `${name} is ${addresses.join(', ')}`).join('; ')}.`
}
