import { step, type Wave } from '../../../reconcile/step.ts'
import type { View } from '../../component.ts'
import type { Entity } from '../access.ts'
import { poolSteps, poolsServe } from '../pools.ts'
import type { Config } from '../schema.ts'
import type { Told } from '../told.ts'
import { BLOCK_POOLS, RBD_POOL, RBD_SECRET } from './names.ts'

const INIT_MS = 120_000

// As the admin: the key of clients may use the pool, and not say what it is for.
const INIT = `set -eu
timeout 60 rbd pool init "$1"
exec ceph --connect-timeout 20 osd pool application set "$1" rbd llmagentos ready 2>/dev/null`

/** The pool, and once it serves, what makes it one of block devices; written down there once that is done. */
export function blockWaves({ view, up }: { view: View<Config>; up: { node: string; told: Told } }): Wave[] {
  if (view.config.block === false || up.told.osds.osds.length === 0) return []
  const pools = poolSteps(view, up, BLOCK_POOLS)
  if (pools.length > 0) return [{ says: 'ceph: the pool of block devices', steps: pools }]
  if (!poolsServe(view, up.told, BLOCK_POOLS) || isReady(up.told)) return []
  const init = step({
    node: up.node,
    says: `make the pool ${RBD_POOL} one of block devices`,
    risk: 'add',
    deadlineMs: INIT_MS,
    act: { do: 'run', argv: ['sh', '-c', INIT, 'sh', RBD_POOL] },
  })
  return [{ says: 'ceph: block devices', steps: [init] }]
}

export const isReady = ({ osds }: Told): boolean =>
  osds.pools.some(
    ({ pool_name, application_metadata: apps = {} }) =>
      pool_name === RBD_POOL &&
      (apps['rbd'] as Record<string, string> | undefined)?.['llmagentos'] === 'ready',
  )

/** One for all nodes, so that an image moves from one to the other. */
export const blockEntities = ({ config }: View<Config>): Entity[] =>
  config.block === false
    ? []
    : [
        {
          name: 'client.rbd',
          secret: RBD_SECRET,
          caps: {
            mgr: `profile rbd pool=${RBD_POOL}`,
            mon: 'profile rbd',
            osd: `profile rbd pool=${RBD_POOL}`,
          },
        },
      ]
