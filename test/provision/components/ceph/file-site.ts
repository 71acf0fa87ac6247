import { parse } from '../../../../src/provision/cluster/load.ts'
import { base } from '../../../../src/provision/components/base/index.ts'
import { type Look, looks } from '../../../../src/provision/components/ceph/file/look.ts'
import { fileWaves } from '../../../../src/provision/components/ceph/file/plan.ts'
import { ceph } from '../../../../src/provision/components/ceph/index.ts'
import type { Config } from '../../../../src/provision/components/ceph/schema.ts'
import type { Told } from '../../../../src/provision/components/ceph/told.ts'
import type { View } from '../../../../src/provision/components/component.ts'
import { step } from '../../../../src/provision/reconcile/step.ts'
import { partsOf } from '../../../../src/provision/reconcile/view.ts'
import { BARE, factsOf, type Printed } from '../../os/node.ts'

/** Of a file system that is made. */
export const POOLS = ['cephfs_metadata', 'cephfs_data'].map(pool_name => ({
  pool_name,
  application_metadata: { cephfs: {} },
}))

/** What the mons say. */
export function told(o: {
  pools?: object[]
  osds?: number
  active?: string[]
  standbys?: string[]
  replaying?: string[]
}): Told {
  const info = [
    ...(o.active ?? []).map(name => ({ name, state: 'up:active' })),
    ...(o.replaying ?? []).map(name => ({ name, state: 'up:replay' })),
  ]
  return {
    health: { checks: {} },
    osds: {
      pools: (o.pools ?? []).map(pool => ({ pg_num: 32, ...pool })),
      osds: [0, 1, 2].map(osd => ({ osd, up: osd < (o.osds ?? 3) ? 1 : 0, in: 1 })),
    },
    files: {
      standbys: (o.standbys ?? []).map(name => ({ name })),
      filesystems: o.active
        ? [
            {
              mdsmap: {
                fs_name: 'cephfs',
                info: Object.fromEntries(info.map((one, i) => [`gid_${i}`, one])),
              },
            },
          ]
        : [],
    },
  } as unknown as Told
}

/** The steps, as a plan shows them. */
export function says(
  settings: string,
  now: Told,
  o: { servers?: string[]; mounts?: string[]; risk?: 'add' | 'restart' } = {},
): string[] {
  const view = viewOf(settings)
  const act = (node: string, text: string, risk: 'add' | 'restart') =>
    step({ node, says: text, risk, deadlineMs: 1, act: { do: 'run', argv: [text] } })
  return fileWaves({
    view,
    facts: factsWith(view, { state: 'free' }),
    up: { node: 'n1', told: now },
    servers: (o.servers ?? []).map(node => act(node, 'start', o.risk ?? 'add')),
    mounts: (o.mounts ?? []).map(node => act(node, 'mount', 'add')),
  })
    .flatMap(({ steps }) => steps)
    .map(one => `${one.node}: ${one.says}`)
}

export function factsWith(view: View<Config>, look: Look, also: Printed = {}) {
  const n4 = view.cluster.nodes.at(-1)!
  const nodes = view.nodes.map(({ name }) => [name, { ...BARE, 'stores of Ceph': '', ...also[name] }])
  const all = Object.fromEntries(nodes)
  if (all['n4']) all['n4'][looks(view.config, n4).id] = JSON.stringify({ '/srv/shared': look })
  return factsOf(all)
}

/** Three control nodes with disks, and n4, a worker; `settings` are those of ceph. */
export function viewOf(settings: string): View<Config> {
  const nodes = ['n1', 'n2', 'n3'].map(
    (name, i) =>
      `  - {name: ${name}, address: 10.0.0.1${i + 1}, roles: [control, storage], disks: [{id: d${i}}]}\n`,
  )
  const text = `name: story\nrecovery: none\nssh: {user: ops}\nnodes:\n${nodes.join('')}  - {name: n4, address: 10.0.0.14, roles: [worker], labels: {gpu: 'yes'}}\ncomponents: {ceph: {allowEndOfLife: true, ${settings}}}\n`
  const components = [base, ceph]
  const cluster = parse(text, { env: {}, components })
  const part = partsOf(cluster, { components, nodes: cluster.nodes }).find(p => p.component.name === 'ceph')!
  return part.view as View<Config>
}

export function refusal(view: View<Config>, look: Look = { state: 'free' }, also?: Printed) {
  try {
    ceph.refuse!(view, factsWith(view, look, also))
    return undefined
  } catch (thrown) {
    return thrown as { exit: number; message: string; why?: string }
  }
}
