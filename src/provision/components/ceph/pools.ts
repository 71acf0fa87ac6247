import type { Step } from '../../reconcile/step.ts'
import type { View } from '../component.ts'
import { growSteps, serving } from './groups.ts'
import { storageNodes } from './names.ts'
import type { Config } from './schema.ts'
import { type Command, tell } from './tell.ts'
import type { Told } from './told.ts'

/** A pool, and what it is for as Ceph names it. */
export interface Pool {
  name: string
  app: 'rgw' | 'cephfs' | 'rbd'
  /** Placement groups; without it the pool takes most of what is kept, and gets its share by the number of OSDs. */
  pgs?: number
}

/** Ceph advises about a hundred on each OSD, and refuses beyond 250; half a hundred for what is large, because other pools come beside it. */
const PGS_PER_OSD = 50

/** Pools that are missing, and those that are to grow. Their pg_num is set here, because not every distribution's autoscaler runs. */
export function poolSteps(
  view: View<Config>,
  { node, told }: { node: string; told: Told },
  pools: Pool[],
): Step[] {
  const size = copies(view)
  const osds = told.osds.osds.length
  const missing = pools
    .filter(pool => !isThere(told, pool))
    .map(({ name, app, pgs = pgsFor(osds, size) }) =>
      tell({
        node,
        says: `make the pool ${name}: ${size} ${size === 1 ? 'copy' : 'copies'}, ${pgs} placement groups`,
        commands: [
          ...ruleOf(view.config),
          ...(size === 1 ? ALLOW_ONE : []),
          {
            cmd: {
              prefix: 'osd pool create',
              pool: name,
              pg_num: pgs,
              pgp_num: pgs,
              pool_type: 'replicated',
              ...(view.config.osd.failureDomain !== 'host' && { rule: ruleName(view.config) }),
              size,
              // Without this the mons make no pool whose name begins with a dot, and call that a success.
              ...(name.startsWith('.') && { yes_i_really_mean_it: true }),
            },
          },
          { cmd: { prefix: 'osd pool application enable', pool: name, app } },
        ],
      }),
    )
  const grown = pools
    .filter(pool => pool.pgs === undefined && isThere(told, pool))
    .flatMap(({ name }) => growSteps({ node, told }, name, pgsFor(serving(told), size)))
  return [...missing, ...grown]
}

/** All that are asked of, and enough disks that serve for what is written to be kept. */
export const poolsServe = (view: View<Config>, told: Told, pools: Pool[]): boolean =>
  pools.every(pool => isThere(told, pool)) && serving(told) >= copies(view)

/** A run that was killed may have made it, and not yet said what it is for. */
const isThere = ({ osds }: Told, { name, app }: Pool) =>
  osds.pools.some(pool => pool.pool_name === name && app in (pool.application_metadata ?? {}))

/** Three, each in a failure domain of its own; fewer only where the file allows it. */
function copies({ cluster, config }: View<Config>): number {
  const domain = config.osd.failureDomain
  const nodes = storageNodes(cluster).filter(node => node.disks.length > 0)
  const places = new Set(nodes.map(node => (domain === 'host' ? node.name : node.labels[domain])))
  return Math.max(1, Math.min(3, places.size))
}

/** A power of two, as Ceph wants it. */
const pgsFor = (osds: number, size: number) =>
  2 ** Math.max(3, Math.floor(Math.log2(Math.max(1, (osds * PGS_PER_OSD) / size))))

const ruleName = ({ osd }: Config) => `by-${osd.failureDomain}`

const ruleOf = (config: Config): Command[] =>
  config.osd.failureDomain === 'host'
    ? []
    : [
        {
          cmd: {
            prefix: 'osd crush rule create-replicated',
            name: ruleName(config),
            root: 'default',
            type: config.osd.failureDomain,
          },
        },
      ]

const ALLOW_ONE: Command[] = [
  { cmd: { prefix: 'config set', who: 'global', name: 'mon_allow_pool_size_one', value: 'true' } },
]
