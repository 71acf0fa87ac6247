import { reasonOf } from '../../errors.ts'
import { type Log, silent } from '../../log.ts'
import { type Bus, backAfter, type Delivery, type Fate, type Message, type Verdict } from './index.ts'
import { matches } from './topic.ts'

/** Most messages that wait in one queue; past it a publish is `refused`, and its sender keeps them in the store, where they are anyway. */
const MAX_WAITING = 10_000

interface Waiting {
  message: Message
  deliveries: number
}
interface Consumer {
  free: number
  run(d: Delivery): Promise<Verdict>
  /** Set while it stops: called when the last delivery ended. */
  stopped?: () => void
  slots: number
}
interface Queue {
  waiting: Waiting[]
  consumers: Consumer[]
  routes: Set<string>
}

/** The bus of a process that runs every service itself. What waits in it dies with the process; the store has it all. */
export function inProcessBus(o: { log?: Log } = {}): Bus {
  const log = o.log ?? silent
  const queues = new Map<string, Queue>()
  const listeners = new Set<{ pattern: string; on: (topic: string, event: object) => void }>()

  return {
    // A queue exists once somebody consumed from it, as on a broker where the consumer declares it.
    async publish(to, messages) {
      const found = [...queues].filter(([name, q]) => name === to || [...q.routes].some(r => matches(r, to)))
      if (found.length === 0) return messages.map(() => 'unroutable')
      const fates = messages.map(message => {
        const each = found.map(([, queue]) => put(queue, { message, deliveries: 0 }))
        return each.includes('refused') ? 'refused' : 'stored'
      })
      for (const [, queue] of found) setImmediate(hand, queue)
      return fates
    },
    async consume(name, slots, run, { routes = [] } = {}) {
      const queue = queues.get(name) ?? { waiting: [], consumers: [], routes: new Set() }
      queues.set(name, queue)
      for (const route of routes) queue.routes.add(route)
      const consumer: Consumer = { free: slots, slots, run }
      queue.consumers.push(consumer)
      setImmediate(hand, queue)
      return () => stop(queue, consumer)
    },
    emit(topic, event) {
      for (const l of listeners) if (matches(l.pattern, topic)) setImmediate(tell, l.on, topic, event)
    },
    async listen(pattern, on) {
      const listener = { pattern, on }
      listeners.add(listener)
      return async () => void listeners.delete(listener)
    },
    state: () => 'up',
    close: async () => {},
  }

  function hand(queue: Queue): void {
    for (;;) {
      // The one with the most room, so that consumers share.
      const consumer = queue.consumers.toSorted((a, b) => b.free - a.free)[0]
      if (!consumer || consumer.free < 1) return
      const next = queue.waiting.shift()
      if (!next) return
      consumer.free--
      void deliver(queue, consumer, next)
    }
  }

  async function deliver(queue: Queue, consumer: Consumer, w: Waiting): Promise<void> {
    const deliveries = w.deliveries + 1
    const { id, body } = w.message
    const verdict = await consumer.run({ id, body, deliveries }).catch((thrown): Verdict => {
      log.warn({ id, err: thrown }, `a consumer threw: ${reasonOf(thrown)}`)
      return 'back'
    })
    consumer.free++
    if (consumer.stopped && consumer.free === consumer.slots) consumer.stopped()
    if (verdict === 'back') {
      setTimeout(() => {
        put(queue, { message: w.message, deliveries })
        hand(queue)
      }, backAfter(deliveries)).unref()
    } else if (verdict !== 'ack')
      log.error({ id, reason: verdict.dead }, `a message was put away: ${verdict.dead}`)
    hand(queue)
  }

  function tell(on: (topic: string, event: object) => void, topic: string, event: object): void {
    try {
      on(topic, event)
    } catch (thrown) {
      log.error({ topic, err: thrown }, `a listener threw: ${reasonOf(thrown)}`)
    }
  }
}

/** Higher priority first, then in the order of arrival. */
function put(queue: Queue, w: Waiting): Fate {
  if (queue.waiting.length >= MAX_WAITING) return 'refused'
  const at = queue.waiting.findLastIndex(other => other.message.priority >= w.message.priority)
  queue.waiting.splice(at + 1, 0, w)
  return 'stored'
}

async function stop(queue: Queue, consumer: Consumer): Promise<void> {
  queue.consumers = queue.consumers.filter(c => c !== consumer)
  if (consumer.free === consumer.slots) return
  await new Promise<void>(resolve => {
    consumer.stopped = resolve
  })
}
