import type { Concern, Site } from '../../../src/provision/check/concern.ts'
import type { WantedNode } from '../../../src/provision/cluster/cluster.ts'
import { parse } from '../../../src/provision/cluster/load.ts'
import { base } from '../../../src/provision/components/base/index.ts'
import type { Component, Finding, Port, Use } from '../../../src/provision/components/component.ts'
import type { Fact, Facts } from '../../../src/provision/facts/fact.ts'
import { partsOf } from '../../../src/provision/reconcile/view.ts'

/** Three nodes, n1 with the role control; `lines` are further ones of the file. */
export function siteOf(lines: string[] = [], o: { nodes?: string[]; components?: Component[] } = {}): Site {
  const nodes = o.nodes ?? ['roles: [control]', 'roles: [worker]', 'roles: [worker]']
  const text = [
    'name: halle',
    'ssh: {user: ops}',
    ...lines,
    'nodes:',
    ...nodes.map((more, i) => `  - {name: n${i + 1}, address: 10.0.0.1${i + 1}, ${more}}`),
  ].join('\n')
  const cluster = parse(text, { env: {} })
  const parts = partsOf(cluster, { components: o.components ?? [], nodes: cluster.nodes })
  return { cluster, parts, asked: cluster.nodes, nodes: cluster.nodes }
}

/** A stand-in component on every node that wants only what it is told to. */
export const wanting = (o: { ports?: Omit<Port, 'node'>[]; use?: Use }): Component => ({
  ...base,
  name: 'wanting',
  usual: true,
  needs: [],
  gives: [],
  placed: cluster => cluster.nodes,
  ports: ({ cluster }) =>
    cluster.nodes.flatMap(node => (o.ports ?? []).map(port => ({ ...port, node: node.name }))),
  uses: () => o.use ?? { memoryBytes: 0, disk: [] },
})

type Answers = (node: WantedNode, fact: Fact<unknown>) => unknown

/** Values for facts that the concern asks, an Error for one that a node did not give. */
export const factsOf = (concern: Concern, site: Site, answers: Answers): Facts => ({
  peek(node, fact) {
    const wanted = site.asked.find(({ name }) => name === node)!
    if (!concern.facts(site, wanted).some(({ id }) => id === fact.id))
      throw new Error(`${fact.id} was not asked`)
    const value = answers(wanted, fact)
    return value instanceof Error
      ? { known: false, why: value.message }
      : { known: true, value: value as never }
  },
  get() {
    throw new Error('a check peeks')
  },
})

export const findings = (concern: Concern, site: Site, answers: Answers): Finding[] =>
  concern.judge(site, factsOf(concern, site, answers))

/** `bad n1: It ...`, without what is fine. */
export const told = (found: Finding[]): string[] =>
  found.filter(({ level }) => level !== 'ok').map(({ level, node, says }) => `${level} ${node}: ${says}`)
