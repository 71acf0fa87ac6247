import type { AmqpConfig } from '../../../contracts/bus.ts'
import { type Log, silent } from '../../../log.ts'
import type { Bus } from '../index.ts'
import { Consumer } from './consumer.ts'
import { Emitter } from './emitter.ts'
import { Listeners } from './events.ts'
import { Link } from './link.ts'
import type { Tuning } from './options.ts'
import { Publisher } from './publisher.ts'
import { namesOf } from './topology.ts'

/** A start waits so long for a broker; without one services run all the same, and only dispatch waits. */
const FIRST_MS = 3_000

/** The bus over RabbitMQ 3.10 and 4.x: quorum queues, publisher confirms, topic exchanges. */
export async function amqpBus(config: AmqpConfig, o: Partial<Tuning> & { log?: Log } = {}): Promise<Bus> {
  const log = o.log ?? silent
  const names = namesOf(config.cluster)
  const tuning = { name: o.name ?? 'llmagentos', noDelay: o.noDelay }
  // Two, for a broker in alarm stops reading from whoever publishes: acknowledgements must get through.
  const out = new Link({
    config,
    log: log.child({ link: 'out' }),
    tuning: { ...tuning, name: `${tuning.name} out` },
  })
  const into = new Link({
    config,
    log: log.child({ link: 'in' }),
    tuning: { ...tuning, name: `${tuning.name} in` },
  })
  const publisher = new Publisher(out, names)
  const emitter = new Emitter(out, names)
  const listeners = new Listeners({ link: into, names, log })
  await Promise.all([out.wait(FIRST_MS), into.wait(FIRST_MS)])

  return {
    publish: (to, messages) => publisher.publish(to, messages),
    async consume(queue, slots, run, { routes = [] } = {}) {
      const consumer = new Consumer({ link: into, names, log, queue, slots, run, routes })
      await consumer.attach()
      return () => consumer.stop()
    },
    emit: (topic, event) => emitter.emit(topic, event),
    listen: (pattern, on) => listeners.listen(pattern, on),
    state: () => (out.up && !out.blocked && into.up ? 'up' : 'down'),
    async close() {
      listeners.close()
      await Promise.all([out.close(), into.close()])
    },
  }
}
