import type { Cluster, WantedNode } from '../cluster/cluster.ts'
import { inNameOrder } from '../cluster/order.ts'
import { print } from '../cluster/print.ts'
import type { Fact, Facts } from '../facts/fact.ts'
import { type Step, step } from './step.ts'

const FOLDER = '/var/lib/llmagentos/applied'
const DEADLINE_MS = 10_000

/** What the cluster was last told to be. Lies on every control node; the highest number counts. */
export interface Applied {
  number: number
  /** UTC, ISO 8601. */
  when: string
  /** `user@host` of the operator. */
  who: string
  /** Of the CLI that applied it. */
  version: string
  /** The members: every node that the cluster knows. */
  nodes: { name: string; address: string }[]
  /** The wanted cluster as YAML with every default written out; it never holds secrets. */
  file: string
}

/** The last applied file as a control node has it; null where none was. */
export const appliedFact: Fact<Applied | null> = {
  id: 'applied',
  script: `cd ${FOLDER} 2>/dev/null || exit 0
last=$(ls | sort -n | tail -n 1)
[ -z "$last" ] || cat "./$last"`,
  deadlineMs: 5_000,
  parse: stdout => (stdout.trim() === '' ? null : (JSON.parse(stdout) as Applied)),
}

/** The newest that any control node tells. Null for a cluster that was never applied. */
export function lastApplied(control: WantedNode[], facts: Facts): Applied | null {
  const told = control.map(node => facts.peek(node.name, appliedFact))
  const found = told.flatMap(answer => (answer.known && answer.value ? [answer.value] : []))
  return found.toSorted((a, b) => b.number - a.number)[0] ?? null
}

/** As it is remembered: in which order the file has its nodes says nothing. */
export const textOf = (cluster: Cluster): string => print({ ...cluster, nodes: inNameOrder(cluster.nodes) })

/** What is to be remembered: the last one where the file says the same, else the next. */
export function nextApplied(o: {
  cluster: Cluster
  last: Applied | null
  who: string
  version: string
  now: Date
}): Applied {
  const file = textOf(o.cluster)
  if (o.last?.file === file) return o.last
  return {
    number: (o.last?.number ?? 0) + 1,
    when: o.now.toISOString(),
    who: o.who,
    version: o.version,
    nodes: inNameOrder(o.cluster.nodes).map(({ name, address }) => ({ name, address })),
    file,
  }
}

/** Steps that write it on the control nodes which do not have it. */
export function rememberSteps(record: Applied, o: { control: WantedNode[]; facts: Facts }): Step[] {
  const text = `${JSON.stringify(record, undefined, 2)}\n`
  return o.control
    .filter(node => JSON.stringify(o.facts.get(node.name, appliedFact)) !== JSON.stringify(record))
    .map(node =>
      step({
        node: node.name,
        says: `remember this cluster.yaml as number ${record.number}`,
        risk: record.number === 1 ? 'add' : 'change',
        deadlineMs: DEADLINE_MS,
        act: { do: 'write', path: `${FOLDER}/${record.number}`, text, mode: 0o600, owner: 'root:root' },
        leaves: [{ component: 'cluster', kind: 'held', name: FOLDER }],
      }),
    )
}
