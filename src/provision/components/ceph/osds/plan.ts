import type { Facts } from '../../../facts/fact.ts'
import type { Step, Wave } from '../../../reconcile/step.ts'
import type { View } from '../../component.ts'
import type { Config } from '../schema.ts'
import type { Told } from '../told.ts'
import { classSteps } from './classes.ts'
import { osdsIn } from './map.ts'
import { comingUp, makingWaves, restartWaves } from './waves.ts'

/** OSDs on disks that have none, those that are down, and restarts node by node. */
export function osdWaves(o: {
  view: View<Config>
  facts: Facts
  up: { node: string; told: Told }
  starts: Step[]
}): Wave[] {
  const { view, facts, up, starts } = o
  const known = osdsIn(up.told.osds)
  const storage = { ...view, nodes: view.nodes.filter(node => node.disks.length > 0) }
  const classes = classSteps(storage, { facts, up })
  const first = starts.filter(one => one.risk !== 'restart')
  return [
    ...makingWaves(storage, { facts, known }),
    ...(first.length > 0 ? [{ says: 'ceph: start OSDs', steps: first }] : []),
    ...comingUp(storage, { facts, known, control: up.node }),
    ...(classes.length > 0 ? [{ says: 'ceph: kinds of disks', steps: classes }] : []),
    ...restartWaves(
      starts.filter(one => one.risk === 'restart'),
      { control: up.node },
    ),
  ]
}
