import { setImmediate as turn } from 'node:timers/promises'
import type { Channel } from 'rabbitmq-client'
import type { Fate, Message } from '../index.ts'
import type { Link } from './link.ts'
import { exchangesOf, type Names } from './topology.ts'
import { Window } from './window.ts'
import { within } from './within.ts'

/** Unconfirmed messages on the way: a quorum queue syncs many at once, so one at a time would be slow. */
const WINDOW = 256
/** No publish takes longer, whatever the broker does. */
const ANSWER_MS = 10_000

/** Publishes persistent messages, each confirmed and each told of when no queue takes it. */
export class Publisher {
  readonly #link: Link
  readonly #names: Names
  readonly #window = new Window(WINDOW)
  /** Tokens of messages that came back: they are confirmed too, right after. */
  readonly #returned = new Set<string>()
  #channel?: Promise<Channel>
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
    const channel = this.#open ? await within(end - performance.now(), this.#ready()) : undefined
    if (!this.#open || !channel?.active) {
      this.#window.give()
      return 'refused'
    }
    const fate = this.#send(channel, topic, message)
    // Its place is free only then: what the broker is slow to confirm still counts.
    void fate.then(() => this.#window.give())
    return (await within(end - performance.now(), fate)) ?? 'unclear'
  }

  get #open(): boolean {
    return this.#link.up && !this.#link.blocked
  }

  async #send(channel: Channel, topic: string, message: Message): Promise<Fate> {
    const token = String(++this.#count)
    try {
      await channel.basicPublish(
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
      return (thrown as { code?: string }).code === 'NACK' ? 'refused' : 'unclear'
    }
  }

  /** One channel for all, made anew after it was lost. */
  #ready(): Promise<Channel> {
    this.#channel ??= this.#make()
    return this.#channel
  }

  #make(): Promise<Channel> {
    const made = (async () => {
      const channel = await this.#link.channel()
      const forget = () => {
        if (this.#channel === made) this.#channel = undefined
      }
      channel.once('close', forget)
      channel.on('basic.return', returned => this.#returned.add(String(returned.correlationId)))
      for (const exchange of exchangesOf(this.#names)) await channel.exchangeDeclare(exchange)
      await channel.confirmSelect()
      return channel
    })()
    made.catch(() => {
      if (this.#channel === made) this.#channel = undefined
    })
    return made
  }
}
