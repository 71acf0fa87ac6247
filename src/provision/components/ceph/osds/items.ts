import type { WantedNode } from '../../../cluster/cluster.ts'
import type { Facts } from '../../../facts/fact.ts'
import type { Item } from '../../../os/item.ts'
import type { Release } from '../releases.ts'
import type { Config } from '../schema.ts'
import { type Made, made } from './made.ts'
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
      .osds.flatMap(one => (one.whole && one.id !== undefined ? itemsOf(one, one.id) : [])),
  ]
}

/** Beside the daemon: ceph-volume, which was a part of it before 17, and what it works with. */
export const osdPackages = ({ osd }: Config, release: Release | undefined): string[] => [
  'ceph-osd',
  ...(osd.backend === 'lvm' ? ['lvm2', ...(release && release.major < 17 ? [] : ['ceph-volume'])] : []),
  ...(osd.encrypt ? ['cryptsetup-bin'] : []),
]

function itemsOf({ disk, backend, uuid }: Made, id: number): Item[] {
  const unit: Item = { kind: 'unit', name: osdUnit(id), says: `keeps objects on ${disk}` }
  if (backend !== 'lvm') return [unit]
  const activates: Item = {
    kind: 'file',
    path: `/etc/systemd/system/${osdUnit(id)}.d/llmagentos.conf`,
    text: `${ACTIVATE} ${id} ${uuid}\n`,
    mode: 0o644,
    owner: 'root:root',
    says: 'its volume is opened before it starts',
  }
  return [activates, unit]
}

// Its folder is made anew at each start, from the tags of its volume; LVM may find the disk only after the first try.
const ACTIVATE = `[Unit]
StartLimitIntervalSec=0
[Service]
TimeoutStartSec=240
ExecStartPre=
ExecStartPre=+/usr/sbin/ceph-volume lvm activate --no-systemd`
