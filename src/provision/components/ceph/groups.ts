import type { Step } from '../../reconcile/step.ts'
import { tell } from './tell.ts'
import type { Told } from './told.ts'

/**
 * More placement groups for a pool once more disks serve, where Ceph does not see to it itself. Never fewer: that moves all data for little.
 * `wanted` is what it would be made with now.
 */
export function growSteps(
  { node, told }: { node: string; told: Told },
  name: string,
  wanted: number,
): Step[] {
  const pool = told.osds.pools.find(one => one.pool_name === name)
  // The manager takes its time from what was to what is to be.
  const now = pool && Math.max(pool.pg_num, pool.pg_num_target ?? 0)
  if (now === undefined || wanted <= now || adjusts(told, name)) return []
  return [
    tell({
      node,
      says: `grow the pool ${name} from ${now} to ${wanted} placement groups: more disks serve`,
      risk: 'change',
      commands: [{ cmd: { prefix: 'osd pool set', pool: name, var: 'pg_num', val: String(wanted) } }],
    }),
  ]
}

/** Disks that serve now. */
export const serving = ({ osds }: Told): number =>
  osds.osds.filter(one => one.up === 1 && one.in === 1).length

/** Debian 13's manager cannot load the module, and says so. */
function adjusts({ osds, health }: Told, name: string): boolean {
  const mode = osds.pools.find(one => one.pool_name === name)?.pg_autoscale_mode
  const broken = Object.values(health.checks).some(({ summary, detail = [] }) =>
    [summary, ...detail].some(({ message }) => /\bpg_autoscaler\b.*(failed|error)/i.test(message)),
  )
  return mode === 'on' && !broken
}
