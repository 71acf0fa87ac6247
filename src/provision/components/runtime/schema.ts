import { block, byDefault, duration, size, whole } from '../../cluster/schema/fields.ts'

export const schema = block('our own services: the gateway and what stands behind it', {
  auth: byDefault(
    {},
    block('who may do what', {
      maxStale: byDefault(
        '1s',
        duration('how long a key that was revoked may still be taken, from 1s to 1m'),
      ),
    }),
  ),
  executor: byDefault(
    {},
    block('who works tasks off', { slots: byDefault(2, whole('tasks at a time', { from: 1, to: 1000 })) }),
  ),
  memory: byDefault('2GiB', size('the most that the services may use on a node')),
})

export interface Config {
  auth: { maxStaleMs: number }
  executor: { slots: number }
  memoryBytes: number
}
