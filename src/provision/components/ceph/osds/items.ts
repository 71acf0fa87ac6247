import type { WantedNode } from '../../../cluster/cluster.ts'
import type { Facts } from '../../../facts/fact.ts'
import type { Item } from '../../../os/item.ts'
import { made } from './made.ts'
import { FOLDERS, osdUnit } from './places.ts'

const DROP_IN = '/etc/systemd/system/ceph-osd@.service.d/llmagentos.conf'

// udev gives a disk to root at each boot, and may be slower than this unit.
const TEXT = `[Service]
ExecStartPre=+/bin/sh -c 'block=${FOLDERS}/ceph-%i/block n=0; until [ -b "$$block" ] || [ $$n -ge 60 ]; do sleep 1; n=$$((n + 1)); done; [ ! -b "$$block" ] || chown ceph:ceph "$$block"'
`

/** What OSDs need on a storage node, and the units of those that are made. Throws UnknownFact. */
export function osdItems(facts: Facts, { name }: WantedNode): Item[] {
  return [
    {
      kind: 'file',
      path: DROP_IN,
      text: TEXT,
      mode: 0o644,
      owner: 'root:root',
      says: 'an OSD waits for its disk, and gets it from root',
    },
    ...facts
      .get(name, made)
      .osds.filter(one => one.whole && one.id !== undefined)
      .map((one): Item => ({ kind: 'unit', name: osdUnit(one.id!), says: `keeps objects on ${one.disk}` })),
  ]
}
