import { EXIT, Failure, reasonOf } from '../../errors.ts'
import type { Wanted } from './look.ts'

/** All nodes of this run have to answer, and all control nodes have to take part. Throws Failure: 4, 2. */
export function everybody(
  { cluster, nodes }: Pick<Wanted, 'cluster' | 'nodes'>,
  silent: Map<string, unknown>,
) {
  const away = cluster.nodes.filter(
    node => node.roles.includes('control') && node.state !== 'offline' && !nodes.includes(node),
  )
  if (away.length > 0)
    throw new Failure(`${namesOf(away)} must take part, and nothing was removed.`, {
      exit: EXIT.usage,
      why: 'control nodes remember the cluster and keep its lock',
      next: 'Name all control nodes with --on; single nodes cannot be taken out by this version.',
    })
  if (silent.size === 0) return
  const names = [...silent.keys()]
  throw new Failure(
    `${names.join(', ')} ${names.length === 1 ? 'does' : 'do'} not answer, and nothing was removed.`,
    {
      exit: EXIT.unreachable,
      why: [...silent.values()].map(whyOf).join('\n'),
      next: `Start ${names.length === 1 ? 'it' : 'them'}; or leave out what is gone for good: \`state: offline\` in cluster.yaml, or --on with the others.`,
    },
  )
}

const namesOf = (nodes: { name: string }[]) => nodes.map(({ name }) => name).join(', ')

const whyOf = (thrown: unknown) =>
  thrown instanceof Failure ? `${thrown.message} ${thrown.why ?? ''}`.trim() : reasonOf(thrown)
