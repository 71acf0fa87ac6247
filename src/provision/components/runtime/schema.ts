import { block, byDefault, duration, optional, size, whole } from '../../cluster/schema/fields.ts'

const count = (what: string) => optional(whole(`how many ${what}`, { from: 1, to: 1000 }))

export const schema = block('our own services: the gateway and what stands behind it', {
  replicas: byDefault(
    {},
    block('how many of a service run; by default one on each control node', {
      gateway: count('gateways, where clients come in'),
      data: count(
        'that keep objects, sessions and knowledge; one while the store is on a disk of one machine',
      ),
      auth: optional(
        whole('how many that say who may: 1, or 3 of which one may be away', { from: 1, to: 3 }),
      ),
      llm: count('that make answers'),
      executor: count('that work tasks off, on control nodes and then on compute nodes; they want a broker'),
    }),
  ),
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
  replicas: { gateway?: number; data?: number; auth?: number; llm?: number; executor?: number }
  auth: { maxStaleMs: number }
  executor: { slots: number }
  memoryBytes: number
}
