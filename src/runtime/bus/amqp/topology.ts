/** As the in-process bus: past it the broker refuses, and whoever publishes keeps what it has in the store. */
const MAX_WAITING = 10_000
/**
 * Set by us, for 3.10 has none of its own and 4.x drops after 20. Large, because a message is given back as often as auth or the
 * store are found away.
 */
const MAX_DELIVERIES = 100
/**
 * The brokers' own 30 minutes are shorter than a long job. Known to a queue since 3.12; before that the argument does nothing,
 * and only `consumer_timeout` in the broker's own config helps.
 */
const CONSUMER_TIMEOUT_MS = 24 * 3_600_000
/** So that 3.10, which begins with five, does as 4.x. */
const REPLICAS = 3
/** Events that wait for one process; the oldest go first. */
const MAX_EVENTS = 10_000

/** Names on the broker. They begin with the cluster's, which is what the rights of our users are given by: `^NAME\.`. */
export function namesOf(cluster: string) {
  return {
    /** Topic exchange: a queue is bound to it by its own name and by its routes. */
    work: `${cluster}.work`,
    /** Topic exchange of what may be missed. */
    events: `${cluster}.events`,
    /** Fanout exchange and queue of what could not be worked on. */
    dead: `${cluster}.dead`,
    queue: (name: string) => `${cluster}.${name}`,
    eventsOf: (process: string) => `${cluster}.events.${process}`,
  }
}
export type Names = ReturnType<typeof namesOf>

export interface Queue {
  queue: string
  durable: boolean
  exclusive?: boolean
  autoDelete?: boolean
  arguments: { 'x-overflow': 'drop-head' | 'reject-publish'; [name: string]: string | number }
}

/** Every service that publishes or consumes declares these, so the first one makes them. */
export function exchangesOf(names: Names) {
  return [
    { exchange: names.work, type: 'topic', durable: true },
    { exchange: names.events, type: 'topic', durable: true },
    { exchange: names.dead, type: 'fanout', durable: true },
  ] as const
}

/** At-least-once dead lettering needs both a quorum queue and reject-publish; otherwise the broker falls back without a word. */
export function workQueue(names: Names, name: string): Queue {
  return {
    queue: names.queue(name),
    durable: true,
    arguments: {
      'x-queue-type': 'quorum',
      'x-quorum-initial-group-size': REPLICAS,
      'x-queue-leader-locator': 'balanced',
      'x-max-length': MAX_WAITING,
      'x-overflow': 'reject-publish',
      'x-delivery-limit': MAX_DELIVERIES,
      'x-dead-letter-exchange': names.dead,
      'x-dead-letter-strategy': 'at-least-once',
      'x-consumer-timeout': CONSUMER_TIMEOUT_MS,
    },
  }
}

/** Nobody consumes it but people, so it must never fill up and hold back the queues behind it. */
export function deadQueue(names: Names): Queue {
  return {
    queue: names.dead,
    durable: true,
    arguments: {
      'x-queue-type': 'quorum',
      'x-quorum-initial-group-size': REPLICAS,
      'x-max-length': MAX_WAITING,
      'x-overflow': 'drop-head',
    },
  }
}

/** Lives as long as its connection, on one broker: what is in it may be missed. */
export function eventsQueue(names: Names, process: string): Queue {
  return {
    queue: names.eventsOf(process),
    durable: false,
    exclusive: true,
    autoDelete: true,
    arguments: { 'x-max-length': MAX_EVENTS, 'x-overflow': 'drop-head' },
  }
}
