import { EXIT, Failure } from '../../errors.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { type Applied, textOf } from '../reconcile/applied.ts'
import { difference } from '../reconcile/diff.ts'

/** The applied file that this operator's file grew from: the last one seen from here. */
export type Base = Pick<Applied, 'number' | 'file'>

export interface Guard {
  cluster: Cluster
  last: Applied | null
  base: Base | undefined
  /** Of this CLI. */
  version: string
  /** Members that the operator agrees to lose without a word to them. */
  forget: string[]
  /** Number of the applied file that the operator has seen and replaces. */
  replaceApplied?: number
}

/** Whether this file may be applied over the last one. Throws Failure (9) and names the way. */
export function guard(o: Guard): void {
  if (!o.last) return
  notByAnOlder(o.last, o.version)
  noMemberLost(o.last, o)
  basedOnLast(o.last, o)
}

/** Whether this CLI, with this file, may take the cluster away. Throws Failure (9). */
export function guardLeaving(o: Pick<Guard, 'cluster' | 'last' | 'version' | 'forget'>): void {
  if (!o.last) return
  notByAnOlder(o.last, o.version)
  noMemberLost(o.last, o)
}

function notByAnOlder(last: Applied, version: string): void {
  if (compareVersions(version, last.version) >= 0) return
  throw new Failure(`The cluster was applied by llmagentos ${last.version}; this is ${version}.`, {
    exit: EXIT.unsafe,
    why: 'An older version may only look.',
    next: `Use ${last.version} or newer.`,
  })
}

function noMemberLost(last: Applied, { cluster, forget }: Pick<Guard, 'cluster' | 'forget'>): void {
  const names = new Set(cluster.nodes.map(node => node.name))
  const lost = last.nodes.filter(({ name }) => !names.has(name) && !forget.includes(name))
  if (lost.length === 0) return
  const renamed = lost.flatMap(({ name, address }) => {
    const now = cluster.nodes.find(node => node.address === address)
    return now ? [`${name} is now called ${now.name}: a name is a node's identity and stays.`] : []
  })
  const all = lost.map(({ name }) => name).join(', ')
  throw new Failure(`cluster.yaml no longer has ${all}, which the cluster has as a member.`, {
    exit: EXIT.unsafe,
    why: renamed.join('\n') || undefined,
    next: `Write ${lost.length === 1 ? 'it' : 'them'} back; or, when the machine is gone for good, add ${lost.map(({ name }) => `--forget ${name}`).join(' ')}.`,
  })
}

function basedOnLast(last: Applied, { cluster, base, replaceApplied }: Guard): void {
  const file = textOf(cluster)
  if (file === last.file || base?.file === last.file || replaceApplied === last.number) return
  const theirs = base
    ? `Since number ${base.number}, the last that was seen from here, it became:\n${difference(base.file, last.file)}`
    : 'Nothing was applied or seen from here before.'
  throw new Failure(
    `cluster.yaml is not based on what was applied last: number ${last.number}, by ${last.who}, ${last.when}.`,
    {
      exit: EXIT.unsafe,
      why: `${theirs}\nYour file would make of it:\n${difference(last.file, file)}`,
      next: `Take over what you want to keep; to replace it: --replace-applied ${last.number}`,
    },
  )
}

/** Of three numbers with dots; what follows a `-` counts less than none. */
function compareVersions(one: string, other: string): number {
  const [a, b] = [one, other].map(v => ({
    numbers: v.split('-')[0]!.split('.').map(Number),
    pre: v.includes('-'),
  }))
  const at = a!.numbers.findIndex((n, i) => n !== b!.numbers[i])
  if (at >= 0) return a!.numbers[at]! - (b!.numbers[at] ?? 0)
  return Number(b!.pre) - Number(a!.pre)
}
