import { setTimeout as sleep } from 'node:timers/promises'
import { expect, vi } from 'vitest'
import type { Log } from '../../../src/log.ts'
import type { Bus, Fate } from '../../../src/runtime/bus/index.ts'

/** What a bus logged, as sentences. */
export function recorder(): Log & { said: string[] } {
  const said: string[] = []
  const note = (_: object, says: string) => void said.push(says)
  const log = { said, debug() {}, info: note, warn: note, error: note, child: () => log }
  return log
}

/** A broker that was killed, and three on a busy machine that elect anew, take their time. */
export const until = (check: () => void | Promise<void>, timeout = 120_000) =>
  vi.waitFor(check, { timeout, interval: 100 })

/** One message after the other from one bus to all the others, until `stop`. */
export class Traffic {
  readonly fates = new Map<string, Fate>()
  readonly got = new Map<string, number>()
  /** ms that the slowest publish took. */
  slowest = 0
  #going = true
  readonly #sending: Promise<void>

  private constructor(from: Bus, queue: string) {
    this.#sending = this.#send(from, queue)
  }

  static async start(o: { from: Bus; to: Bus[]; queue: string }): Promise<Traffic> {
    const waiting: ((t: Traffic) => void)[] = []
    const traffic = new Promise<Traffic>(resolve => waiting.push(resolve))
    for (const bus of o.to)
      await bus.consume(o.queue, 4, async d => {
        const { got } = await traffic
        got.set(d.id, (got.get(d.id) ?? 0) + 1)
        return 'ack'
      })
    const started = new Traffic(o.from, o.queue)
    for (const tell of waiting) tell(started)
    return started
  }

  /** Waits until so many more were stored. */
  async stored(more: number): Promise<void> {
    const before = this.count('stored')
    await until(() => expect(this.count('stored'), `${this}`).toBeGreaterThanOrEqual(before + more))
  }

  /** Sends no more. */
  async settle(): Promise<void> {
    this.#going = false
    await this.#sending
  }

  /** Waits until all that was stored arrived. */
  async stop(): Promise<void> {
    await this.settle()
    await until(() => expect(this.missing()).toEqual([]))
  }

  count(fate: Fate): number {
    return [...this.fates.values()].filter(f => f === fate).length
  }

  missing(): string[] {
    return [...this.fates].filter(([id, fate]) => fate === 'stored' && !this.got.has(id)).map(([id]) => id)
  }

  toString(): string {
    const fates = (['stored', 'refused', 'unclear', 'unroutable'] as const).map(f => `${this.count(f)} ${f}`)
    const twice = [...this.got.values()].filter(n => n > 1).length
    return `${fates.join(', ')}; ${twice} came more than once; slowest publish ${Math.round(this.slowest)} ms`
  }

  async #send(from: Bus, queue: string): Promise<void> {
    for (let n = 0; this.#going; n++) {
      const began = performance.now()
      const [fate] = await from.publish(queue, [{ id: `m${n}`, priority: 0, body: { n } }])
      this.fates.set(`m${n}`, fate!)
      this.slowest = Math.max(this.slowest, performance.now() - began)
      await sleep(fate === 'stored' ? 5 : 100)
    }
  }
}
