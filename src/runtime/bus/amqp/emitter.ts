import type { Channel } from 'rabbitmq-client'
import type { Link } from './link.ts'
import { exchangesOf, type Names } from './topology.ts'

/** Events that the connection has not taken yet; past it they are dropped, as they are while it is down. */
const MAX_PENDING = 1_000

/** Sends events: neither persistent nor confirmed. */
export class Emitter {
  readonly #link: Link
  readonly #names: Names
  #channel?: Promise<Channel | undefined>
  #pending = 0

  constructor(link: Link, names: Names) {
    this.#link = link
    this.#names = names
  }

  emit(topic: string, event: object): void {
    if (!this.#link.up || this.#link.blocked || this.#pending >= MAX_PENDING) return
    this.#pending++
    this.#channel ??= this.#make()
    // What throws was lost with its channel.
    void this.#channel
      .then(channel => channel?.basicPublish({ exchange: this.#names.events, routingKey: topic }, event))
      .catch(() => {})
      .finally(() => this.#pending--)
  }

  async #make(): Promise<Channel | undefined> {
    try {
      const channel = await this.#link.channel()
      channel.once('close', () => {
        this.#channel = undefined
      })
      for (const exchange of exchangesOf(this.#names)) await channel.exchangeDeclare(exchange)
      return channel
    } catch {
      this.#channel = undefined
      return undefined
    }
  }
}
