import Type from 'typebox'
import * as f from './fields.ts'
import { nodeSsh } from './operations.ts'

const diskId = (says: string) =>
  f.text(says, { pattern: '^[^\\s/]+$', must: 'a name of /dev/disk/by-id, without the folder' })

const disk = f.block('one disk for storage', {
  id: diskId('its name in /dev/disk/by-id; everything on it is lost when its own verb takes it'),
  db: f.optional(diskId('a faster disk that holds its index; several disks may share one')),
  class: f.optional(f.oneOf('kind of disk; without it, what the node says', ['hdd', 'ssd', 'nvme'])),
})

export const node = f.block('one machine', {
  name: f.name('its identity everywhere: certificates, broker, storage. The host name stays as it is'),
  address: f.address('how nodes reach it: an IP address, or a name that every node resolves'),
  storageAddress: f.optional(f.address('its address in network.storage')),
  ssh: f.byDefault({}, nodeSsh),
  roles: Type.Array(
    f.oneOf(
      '`control`: broker, monitors, secrets, gateway. `storage`: disks. `worker`: answers with models. `compute`: other work',
      [...f.ROLES],
    ),
    { minItems: 1, uniqueItems: true, description: 'what it is for; 1, 3 or 5 nodes are `control`' },
  ),
  labels: f.byDefault({}, f.labels('your own words, chosen by in `on:`, such as rack: r1 or gpu: h200')),
  disks: f.byDefault(
    [],
    Type.Union(
      [
        f.oneOf('those that are blank when `cluster up --accept-disks` is run, which writes them here', [
          'all-blank',
        ]),
        f.listOf('for storage', disk),
      ],
      {
        description:
          'for storage; no other disk is ever touched. `all-blank`: `cluster up --accept-disks` writes the blank ones here',
      },
    ),
  ),
  memory: f.byDefault(
    {},
    f.block('of this node', {
      reserve: f.byDefault('0B', f.size('memory that is kept free of us, for what else runs there')),
    }),
  ),
  state: f.byDefault(
    'active',
    f.oneOf('`standby` is prepared and gets no work, `offline` is expected not to answer', [
      'active',
      'standby',
      'offline',
    ]),
  ),
})
