import { block, byDefault, oneOf, optional, size, text, yesNo } from '../../../cluster/schema/fields.ts'

export const osd = block('how disks are used', {
  backend: byDefault(
    'lvm',
    oneOf('`lvm` is what Ceph advises; `raw` is for machines whose kernel has no device-mapper', [
      'lvm',
      'raw',
    ]),
  ),
  encrypt: byDefault(false, yesNo('what new OSDs write is encrypted on the disk; with lvm alone')),
  dbSize: optional(
    size(
      'of each index that lies on another disk (`db`); without it the disks that share one get equal parts of it',
    ),
  ),
  failureDomain: byDefault(
    'host',
    text('copies lie on different ones: `host`, or a label of all storage nodes: rack, row, room', {
      pattern: '^(host|chassis|rack|row|pdu|pod|room|datacenter|zone)$',
      must: "host, or one of Ceph's: chassis, rack, row, pdu, pod, room, datacenter, zone",
    }),
  ),
})
