import type { Static } from 'typebox'
import { block, byDefault, duration, oneOf, port, selector, size } from '../../cluster/schema/fields.ts'
import type { Parsed } from '../../cluster/schema/parsed.ts'

export const schema = block('RabbitMQ: 1, 3 or 5 brokers that are one cluster', {
  source: byDefault('distro', oneOf("where its packages come from; `distro` is the node's own", ['distro'])),
  on: byDefault('control', selector('the nodes with a broker')),
  port: byDefault(5671, port('where clients come in, by TLS; for the nodes of the cluster alone')),
  memory: byDefault('1GiB', size('of one broker; who publishes waits while it uses more')),
  diskFree: byDefault('1GiB', size('who publishes waits while less is free on the disk of a broker')),
  consumerTimeout: byDefault(
    '24h',
    duration('a message is given to another consumer after this time; longer than the longest job'),
  ),
})

export type Config = Parsed<Static<typeof schema>>
