import type { Finding, View } from '../../component.ts'
import type { Config } from '../schema.ts'
import type { Told } from '../told.ts'
import { blockNodes, RBD_POOL } from './names.ts'
import { isReady } from './plan.ts'

export function blockFindings({ cluster, config }: View<Config>, told: Told): Finding[] {
  if (config.block === false || told.osds.osds.length === 0) return []
  if (!isReady(told))
    return [
      {
        level: 'bad',
        says: `The pool ${RBD_POOL} is not one of block devices yet.`,
        fix: 'Run `cluster up`.',
      },
    ]
  const nodes = blockNodes(cluster, config).map(({ name }) => name)
  return [{ level: 'ok', says: `Block devices are in the pool ${RBD_POOL}; ${nodes.join(', ')} may use it.` }]
}
