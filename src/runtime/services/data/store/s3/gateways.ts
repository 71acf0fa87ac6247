import type { S3Client } from '@aws-sdk/client-s3'
import type { S3Config } from '../../../../../contracts/s3.ts'
import { reasonOf } from '../../../../../errors.ts'
import type { Log } from '../../../../../log.ts'
import { StoreAway } from '../store.ts'
import { faultOf } from './faults.ts'
import { Gateway } from './gateway.ts'
import type { Wire } from './wire.ts'

export interface Ask {
  /** Names the act in the error: 'read q/1'. */
  says: string
  /** Without an answer for so long, a second gateway is asked too. */
  patienceMs?: number
}
/** Through the library, or by the wire. */
export type Send<T> = (client: S3Client, signal: AbortSignal, wire: Wire) => Promise<T>

const PATIENCE_MS = 2_000
/** Ceph may stall any object for 30 s when a node vanishes, and that is normal. */
const DEADLINE_MS = 45_000
const PAUSE_MS = { first: 50, most: 2_000 }

/** All gateways to one store. Every request that goes through here must bear to be sent twice. */
export class Gateways {
  readonly #all: Gateway[]
  readonly #stop = new AbortController()

  readonly #deadlineMs: number

  constructor(config: S3Config, o: { log: Log; deadlineMs?: number }) {
    this.#deadlineMs = o.deadlineMs ?? DEADLINE_MS
    const stop = this.#stop.signal
    this.#all = config.endpoints.map(at => new Gateway({ config, at, log: o.log, stop }))
  }

  /** `unclear`: it was sent more than once, so an earlier try may be what is found. Throws StoreAway, or the refusal as the library gives it. */
  async ask<T>(o: Ask, send: Send<T>): Promise<{ value: T; unclear: boolean }> {
    const call = new Call(
      { ...o, all: this.#all, stop: this.#stop.signal, deadlineMs: this.#deadlineMs },
      send,
    )
    try {
      return await call.run()
    } finally {
      call.end()
    }
  }

  close(): void {
    this.#stop.abort(new Error('the store is closed'))
    for (const gateway of this.#all) gateway.close()
  }
}

interface Asked extends Ask {
  all: Gateway[]
  stop: AbortSignal
  deadlineMs: number
}

interface Try<T> {
  gateway: Gateway
  abort: AbortController
  end: Promise<{ value: T } | { thrown: unknown }>
}

/** One request, at one gateway or at several. */
class Call<T> {
  readonly #o: Asked
  readonly #send: Send<T>
  readonly #running = new Set<Try<T>>()
  readonly #end: Promise<undefined>
  #timer: NodeJS.Timeout | undefined
  #late = false
  readonly #asked = new Map<Gateway, number>()
  #tries = 0
  #notBefore = 0
  #pauseMs = PAUSE_MS.first
  #last: unknown

  constructor(o: Asked, send: Send<T>) {
    this.#o = o
    this.#send = send
    this.#end = new Promise(resolve => {
      this.#timer = setTimeout(() => {
        this.#late = true
        resolve(undefined)
      }, o.deadlineMs)
    })
  }

  async run(): Promise<{ value: T; unclear: boolean }> {
    for (;;) {
      this.#o.stop.throwIfAborted()
      if (this.#late) throw this.#away()
      const pauseMs = this.#notBefore - performance.now()
      const next = pauseMs > 0 ? undefined : this.#next()
      if (next) this.#start(next)
      const ended = await this.#first(pauseMs > 0 ? pauseMs : (this.#o.patienceMs ?? PATIENCE_MS))
      if (!ended) continue
      const { end, gateway } = ended
      if ('value' in end) {
        this.#suspect()
        return { value: end.value, unclear: this.#tries > 1 }
      }
      this.#judge(end.thrown, gateway)
    }
  }

  /** What still runs is of no use any more. */
  end(): void {
    clearTimeout(this.#timer)
    for (const { abort } of this.#running) abort.abort()
  }

  /** The nearest that answers and was asked least; where none is known to answer, any. Nobody is asked twice at a time. */
  #next(): Gateway | undefined {
    const idle = this.#o.all.filter(g => ![...this.#running].some(t => t.gateway === g))
    const here = idle.filter(g => !g.away)
    const among = here.length > 0 || this.#running.size > 0 ? here : idle
    const times = (g: Gateway) => this.#asked.get(g) ?? 0
    return among.toSorted((one, other) => times(one) - times(other))[0]
  }

  #start(gateway: Gateway): void {
    this.#tries++
    this.#asked.set(gateway, (this.#asked.get(gateway) ?? 0) + 1)
    const abort = new AbortController()
    const end = gateway.send(this.#send, abort.signal).then(
      value => ({ value }),
      (thrown: unknown) => ({ thrown }),
    )
    this.#running.add({ gateway, abort, end })
  }

  /** The first try that ends; undefined after `ms`, or at the deadline. */
  async #first(ms: number) {
    const ends = [...this.#running].map(async t => ({ tried: t, gateway: t.gateway, end: await t.end }))
    const ended = await this.#within(ms, ends)
    if (ended) this.#running.delete(ended.tried)
    return ended
  }

  /** The first of `ends`; undefined after `ms`, or at the deadline. */
  async #within<E>(ms: number, ends: Promise<E>[]): Promise<E | undefined> {
    let timer: NodeJS.Timeout | undefined
    const silence = new Promise<undefined>(resolve => {
      timer = setTimeout(resolve, ms, undefined)
    })
    return Promise.race([...ends, silence, this.#end]).finally(() => clearTimeout(timer))
  }

  /** Throws what no other try can better. */
  #judge(thrown: unknown, gateway: Gateway): void {
    const fault = faultOf(thrown)
    this.#last = thrown
    if (fault.gone) gateway.lost(thrown)
    // Its file may hold another one since.
    const renewed = fault.unknownKey && this.#asked.get(gateway) === 1
    if (renewed) gateway.renew()
    else if (!fault.repeat) throw thrown
    // One that was not asked comes at once, the others again after a pause.
    if (this.#asked.size < this.#o.all.length) return
    this.#notBefore = performance.now() + this.#pauseMs
    this.#pauseMs = Math.min(this.#pauseMs * 2, PAUSE_MS.most)
  }

  /** Those that are silent still were asked long before the one that answered. */
  #suspect(): void {
    for (const { gateway } of this.#running)
      gateway.lost(new Error('it was silent while another one answered'))
  }

  #away(): StoreAway {
    const seconds = Math.round(this.#o.deadlineMs / 1000)
    const why = this.#last === undefined ? 'no gateway answered' : reasonOf(this.#last)
    return new StoreAway(`The store could not ${this.#o.says} within ${seconds} s: ${why}.`, this.#last)
  }
}
