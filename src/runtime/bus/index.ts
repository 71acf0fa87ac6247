/** Carries hints between services. No promise rests on it: whoever misses a message finds out from the store. */
export interface Bus {
  /**
   * `to` is the name of a queue, or a topic that queues asked for: each that fits gets every message. Never throws, and is
   * answered within 10 s whatever becomes of the broker.
   */
  publish(to: string, messages: Message[]): Promise<Fate[]>
  /**
   * Runs at most `slots` at a time; returns a function that stops taking new ones and waits for those that run. With the broker
   * away it begins once it is back. `routes`: patterns of topics that go into this queue as well as what is sent to its name.
   */
  consume(
    queue: string,
    slots: number,
    run: (d: Delivery) => Promise<Verdict>,
    o?: { routes?: string[] },
  ): Promise<() => Promise<void>>
  /** Best effort: whoever listens must do without. */
  emit(topic: string, event: object): void
  listen(pattern: string, on: (topic: string, event: object) => void): Promise<() => Promise<void>>
  /** `down`: at this moment nothing is taken, or nothing delivered. */
  state(): 'up' | 'down'
  /** Sends what was taken, for at most 2 s. Consumers are stopped before. */
  close(): Promise<void>
}

export interface Message {
  id: string
  /** Higher goes first where the bus can: in process it does, on quorum queues the order is that of arrival. */
  priority: number
  body: object
}
export interface Delivery {
  id: string
  body: object
  /** 1 for the first. */
  deliveries: number
}
/** `refused` and `unroutable`: certainly not taken. `unclear`: sent, and nobody said what became of it. */
export type Fate = 'stored' | 'unroutable' | 'refused' | 'unclear'
export type Verdict = 'ack' | 'back' | { dead: string }

const BACK_AFTER_MS = 100
const MAX_BACK_AFTER_MS = 2_000

/** How long a message that was given back rests, in ms. */
export function backAfter(deliveries: number): number {
  return Math.min(BACK_AFTER_MS * 2 ** (deliveries - 1), MAX_BACK_AFTER_MS)
}
