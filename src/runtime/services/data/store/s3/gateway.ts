import { setTimeout as sleep } from 'node:timers/promises'
import { HeadBucketCommand, type S3Client } from '@aws-sdk/client-s3'
import type { S3Config } from '../../../../../contracts/s3.ts'
import { reasonOf } from '../../../../../errors.ts'
import type { Log } from '../../../../../log.ts'
import { linesOf } from './client.ts'
import { faultOf } from './faults.ts'
import type { Send } from './gateways.ts'
import type { Wire } from './wire.ts'

const PROBE_EVERY_MS = 1_000
const PROBE_MS = 2_000

/** One gateway, its connections, and whether it answers. */
export class Gateway {
  /** Nobody is sent there while another one answers, until a probe got through. */
  away = false
  readonly #o: { config: S3Config; at: S3Config['endpoints'][number]; log: Log; stop: AbortSignal }
  #lines: { client: S3Client; wire: Wire }

  constructor(o: { config: S3Config; at: S3Config['endpoints'][number]; log: Log; stop: AbortSignal }) {
    this.#o = o
    this.#lines = linesOf(o.config, o.at)
  }

  send<T>(send: Send<T>, signal: AbortSignal): Promise<T> {
    return send(this.#lines.client, signal, this.#lines.wire)
  }

  lost(thrown: unknown): void {
    if (this.away || this.#o.stop.aborted) return
    this.away = true
    const { host, port } = this.#o.at
    this.#o.log.warn(
      { gateway: `${host}:${port}`, reason: reasonOf(thrown) },
      'a gateway to the store is away',
    )
    void this.#probe()
  }

  /** Reads its files again. What runs keeps the old connections. */
  renew(): void {
    this.#lines = linesOf(this.#o.config, this.#o.at)
  }

  close(): void {
    this.#lines.client.destroy()
  }

  async #probe(): Promise<void> {
    const { config, at, log, stop } = this.#o
    while (!stop.aborted) {
      await sleep(PROBE_EVERY_MS, undefined, { signal: stop, ref: false }).catch(() => undefined)
      if (stop.aborted || !(await this.#answers(config.buckets.sys))) continue
      this.away = false
      return log.info({ gateway: `${at.host}:${at.port}` }, 'a gateway to the store answers again')
    }
  }

  /** A refusal is an answer too. */
  async #answers(Bucket: string): Promise<boolean> {
    const deadline = new AbortController()
    const timer = setTimeout(() => deadline.abort(), PROBE_MS)
    try {
      await this.#lines.client.send(new HeadBucketCommand({ Bucket }), { abortSignal: deadline.signal })
      return true
    } catch (thrown) {
      return faultOf(thrown).status !== undefined && !faultOf(thrown).repeat
    } finally {
      clearTimeout(timer)
    }
  }
}
