import { block, byDefault, percent, whole } from '../../../cluster/schema/fields.ts'

export const object = block('object storage that speaks S3', {
  gateways: byDefault(
    2,
    whole('storage nodes with a gateway; one that goes is not missed while another is there. 0 for none', {
      from: 0,
      to: 100,
    }),
  ),
  fullAt: byDefault(
    '80%',
    percent('of the fullest disk, from which on the data service refuses writes; Ceph warns at 85 % itself'),
  ),
})
