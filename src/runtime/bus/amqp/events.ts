import { randomBytes } from 'node:crypto'
import type { Channel } from 'rabbitmq-client'
import { reasonOf } from '../../../errors.ts'
import type { Log } from '../../../log.ts'
import { matches } from '../topic.ts'
import type { Link } from './link.ts'
import { pauseBefore } from './options.ts'
import { eventsQueue, exchangesOf, type Names } from './topology.ts'
import { within } from './within.ts'

/** A frozen broker must not hold up who listens. */
const ANSWER_MS = 2_000

type On = (topic: string, event: object) => void

/** Hears events over one queue of this process, bound by every pattern that somebody listens to. */
export class Listeners {
  readonly #o: { link: Link; names: Names; log: Log }
  readonly #listeners = new Set<{ pattern: string; on: On }>()
  readonly #bound = new Set<string>()
  #channel?: Channel
  #queue = ''
  #tries = 0
  #timer?: NodeJS.Timeout
  #working = Promise.resolve()

  constructor(o: { link: Link; names: Names; log: Log }) {
    this.#o = o
    o.link.onUp(() => void this.#reconcile())
  }

  /** Returns once the broker knows of it, or it is known that it cannot yet. */
  async listen(pattern: string, on: On): Promise<() => Promise<void>> {
    const listener = { pattern, on }
    this.#listeners.add(listener)
    await within(ANSWER_MS, this.#reconcile())
    return async () => {
      this.#listeners.delete(listener)
      await within(ANSWER_MS, this.#reconcile())
    }
  }

  close(): void {
    this.#listeners.clear()
    clearTimeout(this.#timer)
  }

  /** Makes the broker's bindings those that are wanted now. One at a time. */
  #reconcile(): Promise<void> {
    clearTimeout(this.#timer)
    this.#working = this.#working.then(async () => {
      if (!this.#o.link.up) return
      try {
        await this.#bind()
        this.#tries = 0
      } catch (thrown) {
        this.#o.log.warn({ err: thrown }, `events cannot be heard yet: ${reasonOf(thrown)}`)
        this.#again()
      }
    })
    return this.#working
  }

  async #bind(): Promise<void> {
    const wanted = new Set([...this.#listeners].map(l => l.pattern))
    if (wanted.size === 0 && this.#bound.size === 0) return
    const channel = this.#channel?.active ? this.#channel : await this.#subscribe()
    const exchange = this.#o.names.events
    for (const routingKey of wanted)
      if (!this.#bound.has(routingKey)) {
        await channel.queueBind({ queue: this.#queue, exchange, routingKey })
        this.#bound.add(routingKey)
      }
    for (const routingKey of this.#bound)
      if (!wanted.has(routingKey)) {
        await channel.queueUnbind({ queue: this.#queue, exchange, routingKey, arguments: {} })
        this.#bound.delete(routingKey)
      }
  }

  async #subscribe(): Promise<Channel> {
    const { link, names } = this.#o
    const channel = await link.channel()
    this.#bound.clear()
    channel.once('close', () => {
      if (this.#channel === channel) this.#again()
    })
    // The queue was deleted under us.
    channel.on('basic.cancel', () => void channel.close())
    for (const exchange of exchangesOf(names)) await channel.exchangeDeclare(exchange)
    // Another name each time: the broker may not have noticed yet that the last connection is gone, and keeps its queue.
    const declared = eventsQueue(names, randomBytes(8).toString('hex'))
    await channel.queueDeclare(declared)
    this.#queue = declared.queue
    await channel.basicConsume({ queue: this.#queue, noAck: true }, arrived => {
      if (typeof arrived.body === 'object' && arrived.body !== null)
        this.#tell(arrived.routingKey, arrived.body)
    })
    this.#channel = channel
    return channel
  }

  /** After a fault of the channel alone; a new connection comes by itself. */
  #again(): void {
    if (!this.#o.link.up || this.#listeners.size === 0) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#reconcile(), pauseBefore(++this.#tries))
  }

  #tell(topic: string, event: object): void {
    for (const { pattern, on } of this.#listeners) {
      if (!matches(pattern, topic)) continue
      try {
        on(topic, event)
      } catch (thrown) {
        this.#o.log.error({ topic, err: thrown }, `a listener threw: ${reasonOf(thrown)}`)
      }
    }
  }
}
