import type { Channel } from 'rabbitmq-client'
import { reasonOf } from '../../../errors.ts'
import type { Log } from '../../../log.ts'
import { backAfter, type Delivery, type Verdict } from '../index.ts'
import type { Link } from './link.ts'
import { pauseBefore } from './options.ts'
import { deadQueue, exchangesOf, type Names, type Queue, workQueue } from './topology.ts'
import { within } from './within.ts'

const CLOSE_MS = 2_000

interface ConsumerOptions {
  link: Link
  names: Names
  log: Log
  queue: string
  routes: string[]
  slots: number
  run(d: Delivery): Promise<Verdict>
}

/** What the library hands over, as far as we read it. */
interface Arrived {
  deliveryTag: number
  messageId?: string
  headers?: Record<string, unknown>
  body?: unknown
}

/** Consumes one queue over as many connections as it takes. A message that outlives its connection is delivered again, perhaps elsewhere. */
export class Consumer {
  readonly #o: ConsumerOptions
  readonly #off: () => void
  /** Arrived while what came over an earlier connection still runs. */
  #held: { channel: Channel; arrived: Arrived }[] = []
  readonly #resting = new Map<NodeJS.Timeout, () => void>()
  #running = 0
  #channel?: Channel
  #tag?: string
  #attaching?: Promise<void>
  #tries = 0
  #timer?: NodeJS.Timeout
  #stopping = false
  /** The queue is there with other settings than ours: it is used as it is. */
  #asItIs = false
  #idle = () => {}

  constructor(o: ConsumerOptions) {
    this.#o = o
    this.#off = o.link.onUp(() => void this.attach())
  }

  /** Returns once it consumes, or could not; then it tries again by itself. */
  attach(): Promise<void> {
    clearTimeout(this.#timer)
    this.#attaching ??= this.#attach().finally(() => {
      this.#attaching = undefined
    })
    return this.#attaching
  }

  async stop(): Promise<void> {
    this.#stopping = true
    this.#off()
    clearTimeout(this.#timer)
    await this.#attaching
    const channel = this.#channel
    if (channel?.active && this.#tag) await within(CLOSE_MS, channel.basicCancel(this.#tag))
    for (const { channel: from, arrived } of this.#held.splice(0)) settle(from, arrived, 'back')
    for (const [timer, back] of this.#resting) {
      clearTimeout(timer)
      back()
    }
    if (this.#running > 0)
      await new Promise<void>(resolve => {
        this.#idle = resolve
      })
    this.#channel = undefined
    await within(CLOSE_MS, channel?.close())
  }

  async #attach(): Promise<void> {
    const { link, log, queue } = this.#o
    if (this.#stopping || !link.up || this.#channel?.active) return
    let channel: Channel | undefined
    try {
      channel = await link.channel()
      const own = channel
      own.once('close', () => this.#lost(own))
      own.on('basic.cancel', () => {
        log.warn({ queue }, `the queue ${queue} was deleted; it is made again`)
        // The channel stays: what runs is still acknowledged on it.
        void this.#subscribe(own).catch(() => own.close())
      })
      await this.#subscribe(own)
      this.#channel = own
      this.#tries = 0
    } catch (thrown) {
      log.warn({ queue, err: thrown }, `the queue ${queue} cannot be consumed yet: ${reasonOf(thrown)}`)
      // Made by another version of us. Only whoever deletes it, once it is empty, gets it with the settings of this one.
      if ((thrown as { code?: string }).code === 'PRECONDITION_FAILED') this.#asItIs = true
      await channel?.close()
      this.#again()
    }
  }

  async #subscribe(channel: Channel): Promise<void> {
    const { names, queue, routes, slots } = this.#o
    for (const exchange of exchangesOf(names)) await channel.exchangeDeclare(exchange)
    await this.#declare(channel, deadQueue(names))
    await channel.queueBind({ queue: names.dead, exchange: names.dead, routingKey: '' })
    await this.#declare(channel, workQueue(names, queue))
    for (const routingKey of [queue, ...routes])
      await channel.queueBind({ queue: names.queue(queue), exchange: names.work, routingKey })
    await channel.basicQos({ prefetchCount: slots })
    const { consumerTag } = await channel.basicConsume({ queue: names.queue(queue) }, arrived => {
      if (this.#stopping) return settle(channel, arrived, 'back')
      this.#held.push({ channel, arrived })
      this.#next()
    })
    this.#tag = consumerTag
  }

  async #declare(channel: Channel, wanted: Queue): Promise<void> {
    if (this.#asItIs) await channel.queueDeclare({ queue: wanted.queue, passive: true })
    else await channel.queueDeclare(wanted)
  }

  #lost(channel: Channel): void {
    this.#held = this.#held.filter(h => h.channel !== channel)
    if (this.#channel !== channel) return
    this.#channel = undefined
    this.#again()
  }

  /** After a fault of the channel alone; a new connection comes by itself. */
  #again(): void {
    if (this.#stopping || !this.#o.link.up) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.attach(), pauseBefore(++this.#tries))
  }

  #next(): void {
    while (this.#running < this.#o.slots) {
      const held = this.#held.shift()
      if (!held) return
      this.#running++
      void this.#run(held.channel, held.arrived).finally(() => {
        this.#running--
        if (this.#running === 0) this.#idle()
        if (!this.#stopping) this.#next()
      })
    }
  }

  async #run(channel: Channel, arrived: Arrived): Promise<void> {
    const { log, queue, run } = this.#o
    const id = arrived.messageId ?? ''
    const deliveries = deliveriesOf(arrived)
    let verdict: Verdict
    if (typeof arrived.body !== 'object' || arrived.body === null || Buffer.isBuffer(arrived.body))
      verdict = { dead: 'it is not a JSON object' }
    else
      verdict = await run({ id, body: arrived.body, deliveries }).catch((thrown): Verdict => {
        log.warn({ id, queue, err: thrown }, `a consumer threw: ${reasonOf(thrown)}`)
        return 'back'
      })
    if (verdict === 'back' && !this.#stopping) return this.#rest(channel, arrived, backAfter(deliveries))
    if (typeof verdict === 'object')
      log.error({ id, queue, reason: verdict.dead }, `a message was put away: ${verdict.dead}`)
    settle(channel, arrived, verdict)
  }

  /** It stays ours for a moment, so that a store that is away is not asked without a pause. */
  #rest(channel: Channel, arrived: Arrived, ms: number): void {
    const back = () => {
      this.#resting.delete(timer)
      settle(channel, arrived, 'back')
    }
    const timer = setTimeout(back, ms)
    this.#resting.set(timer, back)
  }
}

/** The broker's own count, of quorum queues alone; absent at the first delivery. */
export function deliveriesOf({ headers }: Pick<Arrived, 'headers'>): number {
  const before = Number(headers?.['x-delivery-count'] ?? 0)
  return Number.isFinite(before) ? before + 1 : 1
}

/** On the channel it came over; when that is gone, the broker delivers it again anyway. */
function settle(channel: Channel, { deliveryTag }: Arrived, verdict: Verdict): void {
  if (!channel.active) return
  if (verdict === 'ack') channel.basicAck({ deliveryTag })
  else channel.basicNack({ deliveryTag, requeue: verdict === 'back' })
}
