import type { Cluster } from '../../../src/provision/cluster/cluster.ts'
import { parse } from '../../../src/provision/cluster/load.ts'
import { block } from '../../../src/provision/cluster/schema/fields.ts'
import { base } from '../../../src/provision/components/base/index.ts'
import type { Component, Port } from '../../../src/provision/components/component.ts'
import type { Connection } from '../../../src/provision/connections/connection.ts'
import { Connections } from '../../../src/provision/connections/connections.ts'
import { applyWaves } from '../../../src/provision/reconcile/apply.ts'
import { judgeAll, planAll, stepsOf } from '../../../src/provision/reconcile/plan.ts'
import { rounds } from '../../../src/provision/reconcile/rounds.ts'
import type { Step } from '../../../src/provision/reconcile/step.ts'
import { survey } from '../../../src/provision/reconcile/survey.ts'
import { partsOf } from '../../../src/provision/reconcile/view.ts'
import { newRun } from '../engine/bench.ts'
import type { Lab } from '../lab.ts'

/** A component that only declares ports, so that there is something to filter. */
export const withPorts = (ports: Omit<Port, 'node' | 'path' | 'by'>[]): Component => ({
  ...base,
  name: 'ports',
  schema: block('only ports', {}),
  ports: ({ nodes }) =>
    nodes.flatMap(({ name }) => ports.map(port => ({ ...port, node: name, by: 'the story', path: [] }))),
  uses: () => ({ memoryBytes: 0, disk: [] }),
  facts: () => [],
  items: () => [],
  plan: () => [],
  judge: () => [],
})

/** The nodes of a lab with component base, planned and applied by the engine. */
export class Site {
  readonly #lab: Lab
  readonly #open: Connections[] = []
  #number = 1

  constructor(lab: Lab) {
    this.#lab = lab
  }

  async plan(o: Wanted = {}): Promise<Step[]> {
    const to = await this.#to(o)
    const { facts } = await survey(to)
    return stepsOf(planAll(to.parts, { nodes: to.nodes, facts }))
  }

  /** Round after round until nothing is left to do; what it did, and what failed. */
  async up(o: Wanted = {}) {
    const to = await this.#to(o)
    const did: Step[] = []
    const { facts } = await survey(to)
    const outcome = await rounds(
      {
        ...to,
        run: newRun(),
        who: 'story@lab',
        number: this.#number++,
        onEvent: event => event.type === 'done' && did.push(event.step),
      },
      facts,
    )
    const found = judgeAll(to.parts, outcome.facts).map(({ finding }) => finding)
    return { did, failed: outcome.failed, found }
  }

  /** Steps by hand, as a run of their own. */
  async apply(steps: Step[]) {
    const { connections } = await this.#to({})
    return applyWaves([{ says: 'the story', steps }], {
      connections,
      run: newRun(),
      who: 'story@lab',
      number: this.#number++,
      component: 'base',
    })
  }

  async close() {
    await Promise.all(this.#open.map(connections => connections.close()))
  }

  async #to({ settings = '', ports, only, components }: Wanted) {
    const all = components ?? [base, ...(ports ? [withPorts(ports)] : [])]
    const cluster = this.#cluster(settings, all)
    const nodes = cluster.nodes.filter(node => !only || only.includes(node.name))
    const connections = await this.#connect(cluster)
    return { parts: partsOf(cluster, { components: all, nodes }), nodes, connections }
  }

  #cluster(settings: string, components: Component[]): Cluster {
    const nodes = this.#lab.nodes.map(
      ({ name, address }, i) =>
        `  - {name: ${name}, address: ${address}, roles: [${i === 0 ? 'control' : 'worker'}]}`,
    )
    const text = `name: lab\nrecovery: none\nssh: {user: ops}\n${settings}\nnodes:\n${nodes.join('\n')}\n`
    return parse(text, { env: {}, components })
  }

  async #connect(cluster: Cluster): Promise<Map<string, Connection>> {
    const connections = new Connections({ config: 'none', env: {}, knownHosts: this.#lab.knownHosts })
    this.#open.push(connections)
    const { key } = this.#lab
    const ways = cluster.nodes.map(async ({ name, address }) => {
      const target = { node: name, host: address, user: 'ops', identityFile: key }
      return [name, await connections.to(target)] as const
    })
    return new Map(await Promise.all(ways))
  }
}

export interface Wanted {
  /** Lines of cluster.yaml beside the name and the nodes. */
  settings?: string
  ports?: Omit<Port, 'node' | 'path' | 'by'>[]
  only?: string[]
  components?: Component[]
}
