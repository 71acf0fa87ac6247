import { expect, test } from 'vitest'
import { parse } from '../../../src/provision/cluster/load.ts'
import { inNameOrder } from '../../../src/provision/cluster/order.ts'
import { registry } from '../../../src/provision/components/index.ts'
import { partsOf } from '../../../src/provision/reconcile/view.ts'

const LINES = ['n1', 'n2', 'n10'].map(
  (name, i) => `  - {name: ${name}, address: 10.0.0.1${i}, roles: [control, storage, worker]}`,
)
const cluster = (lines: string[]) =>
  parse(
    `name: p
ssh: {user: ops}
gateway: {vip: 10.0.0.200/24}
components:
  ceph: {source: distro, allowEndOfLife: true}
  rabbitmq: {}
  runtime: {}
nodes:
${lines.join('\n')}
`,
    { env: {} },
  )

test('numbers in names count as numbers', () => {
  const { nodes } = cluster(LINES.toReversed())
  expect(inNameOrder(nodes).map(({ name }) => name)).toEqual(['n1', 'n2', 'n10'])
})

test('no component sees in which order the file has its nodes', () => {
  const [one, other] = [LINES, LINES.toReversed()].map(lines => {
    const file = cluster(lines)
    return partsOf(file, { components: registry, nodes: file.nodes }).map(({ component, view }) => ({
      name: component.name,
      all: view.cluster.nodes.map(node => node.name),
      nodes: view.nodes.map(node => node.name),
      ports: view.ports,
      endpoints: ['amqp', 's3'].map(what => view.endpoints(what as 'amqp', 'n2')),
      asks: component.asks?.(view),
      secrets: component.secrets?.(view),
    }))
  })
  expect(one!.length).toBeGreaterThan(4)
  expect(one![0]!.all).toEqual(['n1', 'n2', 'n10'])
  expect(other).toEqual(one)
})
