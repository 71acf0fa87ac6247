import { FILL_FILE } from '../../../../contracts/fill.ts'
import type { WantedNode } from '../../../cluster/cluster.ts'
import type { Item } from '../../../os/item.ts'
import { sha256 } from '../../../os/now.ts'
import { fill } from '../../../os/template.ts'
import type { View } from '../../component.ts'
import { isMon } from '../names.ts'
import type { Config } from '../schema.ts'
import { rgwNodes } from './gateways.ts'

const PROGRAM = '/usr/local/lib/llmagentos-ceph-fill.py'
const JOB = 'llmagentos-ceph-fill.service'
const TIMER = 'llmagentos-ceph-fill.timer'

/** Tells the data service of a control node each minute how full the disks are, so that it refuses writes in time and needs no key of Ceph's. */
export function fillItems({ cluster, config }: View<Config>, node: WantedNode): Item[] {
  if (!isMon(node) || rgwNodes(cluster, config).length === 0) return []
  const file = { kind: 'file', mode: 0o644, owner: 'root:root' } as const
  const service = fill(`ceph/${JOB}`, {
    ...{ program: PROGRAM, file: FILL_FILE, fullAt: config.object.fullAtPercent },
  })
  return [
    { ...file, path: PROGRAM, text: fill('ceph/fill.py', {}), says: 'asks Ceph how full its disks are' },
    { ...file, path: `/etc/systemd/system/${JOB}`, text: service, says: 'says how full the disks are' },
    {
      ...file,
      path: `/etc/systemd/system/${TIMER}`,
      text: fill(`ceph/${TIMER}`, { digest: sha256(service) }),
      says: 'when the disks are looked at',
    },
    { kind: 'unit', name: TIMER, says: 'tells the data service how full the disks are' },
  ]
}
