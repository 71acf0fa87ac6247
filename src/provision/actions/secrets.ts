import type { WantedNode } from '../cluster/cluster.ts'
import { registry } from '../components/index.ts'
import { type Gathered, gather } from '../facts/gather.ts'
import { partsOf } from '../reconcile/view.ts'
import { NEXT, secretsFact } from '../secrets/fact.ts'
import { type Wanted, wishesOf } from './look.ts'

/** One secret, without its value. */
export interface ListedSecret {
  name: string
  /** The oldest copy, ISO 8601, by the clock of its node; undefined where it was not made yet. */
  since?: string
  /** Control nodes that have it. */
  on: string[]
  /** Control nodes that answered and lack it. */
  lacking: string[]
  /** Some nodes have a new value that is not in use yet. */
  rotating: boolean
  /** A component of this cluster wants it. */
  wanted: boolean
}

/** What the control nodes have, and what is to be made; `unreached` did not answer. Never throws for a node. */
export async function listSecrets(
  o: Pick<Wanted, 'cluster' | 'nodes' | 'connections' | 'components' | 'signal'>,
): Promise<{ secrets: ListedSecret[]; unreached: Gathered['unreached'] }> {
  const control = o.nodes.filter(node => node.roles.includes('control') && o.connections.has(node.name))
  const asked = control.map(({ name }) => ({ connection: o.connections.get(name)!, facts: [secretsFact] }))
  const { facts, unreached } = await gather(asked, { signal: o.signal })
  const stored = new Map(
    control
      .filter(({ name }) => !unreached.has(name))
      .map(({ name }: WantedNode) => [name, facts.get(name, secretsFact)] as const),
  )
  const parts = partsOf(o.cluster, { components: o.components ?? registry, nodes: o.nodes })
  const wanted = new Set(wishesOf(parts).map(wish => wish.name))
  const there = [...stored.values()].flatMap(all => [...all.keys()])
  const names = new Set([...wanted, ...there.filter(name => !name.endsWith(NEXT))])
  const secrets = [...names].toSorted().map(name => {
    const holders = [...stored].filter(([, all]) => all.has(name))
    const times = holders.map(([, all]) => all.get(name)!.sinceMs)
    return {
      name,
      ...(times.length > 0 && { since: new Date(Math.min(...times)).toISOString() }),
      on: holders.map(([node]) => node),
      lacking: [...stored.keys()].filter(node => !stored.get(node)!.has(name)),
      rotating: there.includes(name + NEXT),
      wanted: wanted.has(name),
    }
  })
  return { secrets, unreached }
}
