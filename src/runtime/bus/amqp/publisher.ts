import { setImmediate as turn } from 'node:timers/promises'
import type { Channel } from 'rabbitmq-client'
import type { Fate, Message } from '../index.ts'
import type { Link } from './link.ts'
import { exchangesOf, type Names } from './topology.ts'
import { Window } from './window.ts'
import { within } from './within.ts'

/** Unconfirmed messages on the way: a quorum queue syncs many at once, so one at a time would be slow. */
const WINDOW = 256
const YOUNG_MS = 1_000
/** No publish takes longer, whatever the broker does. */
const ANSWER_MS = 10_000

/** Publishes persistent messages, each confirmed and each told of when no queue takes it. */
export class Publisher {
  readonly #link: Link
  readonly #names: Names
  readonly #window = new Window(WINDOW)
  /** Tokens of messages that came back: they are confirmed too, right after. */
  readonly #returned = new Set<string>()
  #line?: Promise<Line>
  #count = 0

  constructor(link: Link, names: Names) {
    this.#link = link
    this.#names = names
  }

  publish(topic: string, messages: Message[]): Promise<Fate[]> {
    const end = performance.now() + ANSWER_MS
    return Promise.all(messages.map(message => this.#one(topic, message, end)))
  }

  async #one(topic: string, message: Message, end: number): Promise<Fate> {
    if (!this.#open || !(await this.#window.take(end - performance.now()))) return 'refused'
    const line = this.#open ? await within(end - performance.now(), this.#ready()) : undefined
    if (!this.#open || !line?.channel.active) {
      this.#window.give()
      return 'refused'
    }
    const fate = this.#send(line, topic, message)
    // Its place is free only then: what the broker is slow to confirm still counts.
    void fate.then(() => this.#window.give())
    return (await within(end - performance.now(), fate)) ?? 'unclear'
  }

  get #open(): boolean {
    return this.#link.up && !this.#link.blocked
  }

  async #send(line: Line, topic: string, message: Message): Promise<Fate> {
    const token = String(++this.#count)
    line.running++
    try {
      await line.channel.basicPublish(
        {
          exchange: this.#names.work,
          routingKey: topic,
          mandatory: true,
          durable: true,
          messageId: message.id,
          correlationId: token,
        },
        message.body,
      )
      // The library tells of a return a turn later than of the confirm that follows it.
      await turn()
      return this.#returned.delete(token) ? 'unroutable' : 'stored'
    } catch (thrown) {
      this.#returned.delete(token)
      if ((thrown as { code?: string }).code !== 'NACK') return 'unclear'
      line.retire()
      return 'refused'
    } finally {
      line.running--
      if (line.retired && line.running === 0) void line.channel.close().catch(() => {})
    }
  }

  /** One channel for all, made anew after it was lost. */
  #ready(): Promise<Line> {
    this.#line ??= this.#make()
    return this.#line
  }

  #make(): Promise<Line> {
    const forget = () => {
      if (this.#line === made) this.#line = undefined
    }
    const made = (async () => {
      const channel = await this.#link.channel()
      channel.once('close', forget)
      channel.on('basic.return', returned => this.#returned.add(String(returned.correlationId)))
      for (const exchange of exchangesOf(this.#names)) await channel.exchangeDeclare(exchange)
      await channel.confirmSelect()
      return new Line(channel, forget)
    })()
    made.catch(forget)
    return made
  }
}

/** A channel, and what was sent on it and is not yet answered. */
class Line {
  readonly channel: Channel
  running = 0
  retired = false
  readonly #since = performance.now()
  readonly #forget: () => void

  constructor(channel: Channel, forget: () => void) {
    this.channel = channel
    this.#forget = forget
  }

  /**
   * For what comes next there will be another. A channel of RabbitMQ 3.10 that learned of a queue's leader before that one froze asks it
   * for ever, 7 s each, and then refuses; a new one learns of the new leader.
   */
  retire(): void {
    // A queue that is full refuses on any channel.
    if (performance.now() - this.#since < YOUNG_MS) return
    this.retired = true
    this.#forget()
  }
}
