import { expect, test } from 'vitest'
import type { Look } from '../../../src/provision/actions/look.ts'
import { rotatable } from '../../../src/provision/actions/rotatable.ts'
import { parse } from '../../../src/provision/cluster/load.ts'
import { registry } from '../../../src/provision/components/index.ts'
import { partsOf } from '../../../src/provision/reconcile/view.ts'
import { failureOf } from '../connections/failure-of.ts'

const cluster = parse(
  `name: m
ssh: {user: ops}
nodes:
${[1, 2, 3].map(i => `  - {name: n${i}, address: 10.0.0.${i}, roles: [control, storage], disks: [{id: d${i}}]}`).join('\n')}
components: {rabbitmq: {}, ceph: {allowEndOfLife: true}, runtime: {}}
`,
  { env: {} },
)
const parts = partsOf(cluster, { components: registry, nodes: cluster.nodes })
const names = parts
  .flatMap(({ component, view }) => component.secrets?.(view) ?? [])
  .map(wish => (typeof wish === 'string' ? wish : wish.name))
const refusal = (name: string) =>
  failureOf(
    Promise.resolve().then(() =>
      rotatable({ name, cluster }, { parts, nodes: cluster.nodes } as unknown as Look),
    ),
  )

test('what Ceph is known by, and the keys of its daemons, get no new value', async () => {
  const ceph = names.filter(name => name.startsWith('ceph-'))
  expect(ceph).toEqual(expect.arrayContaining(['ceph-fsid', 'ceph-mon-key', 'ceph-admin-key']))
  for (const name of ceph)
    expect(await refusal(name)).toMatchObject({
      exit: 2,
      message: `${name} cannot be rotated in this version.`,
    })
  expect(await refusal('ceph-fsid')).toMatchObject({ why: expect.stringContaining('each disk and each mon') })
})

test('the CA keeps its key, and a name that no secret has is told', async () => {
  expect(await refusal('ca-key')).toMatchObject({ exit: 2, why: expect.stringContaining('certificates') })
  expect(await refusal('nobody')).toMatchObject({
    exit: 2,
    message: 'There is no secret nobody in this cluster.',
  })
})
