import { setImmediate as turn } from 'node:timers/promises'
import { type Channel, Connection } from 'rabbitmq-client'
import type { AmqpConfig } from '../../../contracts/bus.ts'
import { reasonOf } from '../../../errors.ts'
import type { Log } from '../../../log.ts'
import { connectionOptions, pauseBefore, type Tuning } from './options.ts'
import { within } from './within.ts'

/** A connection that held so long was a good one: the next trouble begins with a short pause again. */
const HELD_MS = 10_000
const CLOSE_MS = 2_000

/**
 * One connection to whichever broker answers, for ever. The library's own reconnecting is not used: it would keep the password and
 * certificates it began with, and tell only the first of a row of failures.
 */
export class Link {
  readonly #o: { config: AmqpConfig; tuning: Tuning; log: Log }
  readonly #brokers: AmqpConfig['brokers']
  readonly #ups = new Set<() => void>()
  #next = 0
  #connection?: Connection
  #since?: number
  #blocked = false
  #tries = 0
  #timer?: NodeJS.Timeout
  readonly #said = new Set<string>()
  #closed = false
  readonly #channels = new Set<Channel>()

  constructor(o: { config: AmqpConfig; tuning: Tuning; log: Log }) {
    this.#o = o
    // Not all services on the first one.
    this.#brokers = o.config.brokers
      .map(broker => ({ broker, at: Math.random() }))
      .sort((a, b) => a.at - b.at)
      .map(b => b.broker)
    this.#open()
  }

  get up(): boolean {
    return this.#since !== undefined
  }

  /** The broker is short of memory or disk: it reads nothing from a connection that has published. */
  get blocked(): boolean {
    return this.#blocked
  }

  /** Calls `act` at each new connection, until the returned function is called. */
  onUp(act: () => void): () => void {
    this.#ups.add(act)
    return () => void this.#ups.delete(act)
  }

  /** A new channel; ends with its connection. Throws at once while there is none. */
  async channel(): Promise<Channel> {
    if (!this.#connection || !this.up) throw new Error('there is no connection to a broker')
    const channel = await this.#connection.acquire({ emitErrorsFromChannel: true })
    channel.on('error', thrown => this.#o.log.warn({ err: thrown }, `a channel failed: ${reasonOf(thrown)}`))
    this.#channels.add(channel)
    channel.once('close', () => this.#channels.delete(channel))
    return channel
  }

  /** Waits until connected, at most `ms`. */
  async wait(ms: number): Promise<void> {
    if (this.up) return
    await new Promise<void>(resolve => {
      const done = () => {
        clearTimeout(timer)
        off()
        resolve()
      }
      const timer = setTimeout(done, ms)
      const off = this.onUp(done)
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    const connection = this.#connection
    if (!connection) return
    if (this.up) {
      // What was sent in this turn is on its way only then.
      await turn()
      await within(CLOSE_MS, this.#finish(connection))
    }
    connection.unsafeDestroy()
    this.#since = undefined
  }

  async #finish(connection: Connection): Promise<void> {
    await Promise.all([...this.#channels].map(c => c.close()))
    await connection.close()
  }

  #open(): void {
    const { config, tuning, log } = this.#o
    const broker = this.#brokers[this.#next++ % this.#brokers.length]!
    const at = `${broker.host}:${broker.port}`
    let connection: Connection
    try {
      connection = new Connection(connectionOptions(config, broker, tuning))
    } catch (thrown) {
      this.#lost(at, thrown)
      return
    }
    this.#connection = connection
    connection.on('connection', () => {
      this.#since = performance.now()
      this.#said.clear()
      log.info({ broker: at }, 'connected to a broker')
      for (const up of this.#ups) up()
    })
    connection.on('connection.blocked', reason => {
      this.#blocked = true
      log.warn({ broker: at, reason }, `the broker takes nothing: ${reason}`)
    })
    connection.on('connection.unblocked', () => {
      this.#blocked = false
      log.info({ broker: at }, 'the broker takes messages again')
    })
    connection.on('error', thrown => {
      if (connection !== this.#connection) return
      this.#connection = undefined
      connection.unsafeDestroy()
      this.#lost(at, thrown)
    })
  }

  #lost(at: string, thrown: unknown): void {
    const held = this.#since !== undefined && performance.now() - this.#since > HELD_MS
    this.#since = undefined
    this.#blocked = false
    if (this.#closed) return
    this.#tries = held ? 1 : this.#tries + 1
    const text = `no connection to the broker ${at}: ${reasonOf(thrown)}`
    // Once for each reason: brokers that stay away must not fill the log.
    const says = this.#said.has(text) ? 'debug' : 'warn'
    this.#said.add(text)
    this.#o.log[says]({ broker: at, err: thrown }, `${text}; the next one is tried`)
    this.#timer = setTimeout(() => this.#open(), pauseBefore(this.#tries))
  }
}
