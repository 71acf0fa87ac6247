import { readFile } from 'node:fs/promises'
import { Ajv } from 'ajv'
import { Fill, type FillConfig } from '../../../contracts/fill.ts'
import { reasonOf } from '../../../errors.ts'
import { Refusal } from '../../refusal.ts'

const READ_EVERY_MS = 5_000
/** It is written every minute. */
const STALE_MS = 5 * 60_000

/**
 * Whether the disks behind the store have room for more. What begins something asks it; what ends something, retention and reads do not.
 * When nobody says how full they are, writes go on: the store itself refuses them at its own limit.
 */
export class Room {
  readonly #config: FillConfig | undefined
  #fill?: Fill
  #trouble?: string
  #timer?: NodeJS.Timeout

  constructor(config: FillConfig | undefined) {
    this.#config = config
  }

  async start(): Promise<void> {
    if (!this.#config) return
    await this.#read()
    this.#timer = setInterval(() => void this.#read(), READ_EVERY_MS)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Throws 507 when there is none. */
  require(): void {
    const why = this.#whyFull()
    if (why)
      throw new Refusal(507, 'store_full', `${why} Nothing was stored.`, {
        next: 'Remove what is not needed any more, or give Ceph more disks; reading goes on.',
      })
  }

  notes(): string[] {
    const why = this.#whyFull()
    return [why && `${why} Writes are refused.`, this.#trouble ?? this.#stale()].filter(n => n !== undefined)
  }

  #whyFull(): string | undefined {
    if (!this.#fill || this.#stale()) return undefined
    const { used, withoutOneNode, nearfull, fullAt } = this.#fill
    if (used >= fullAt)
      return `A disk of the store is ${percent(used)} full, and ${percent(fullAt)} is the limit.`
    if (withoutOneNode !== undefined && withoutOneNode >= nearfull)
      return `If one node were lost, the disks of the others would be ${percent(withoutOneNode)} full, and ${percent(nearfull)} is too much.`
    return undefined
  }

  #stale(): string | undefined {
    if (!this.#fill || Date.now() - Date.parse(this.#fill.at) < STALE_MS) return undefined
    return `Nobody has said since ${this.#fill.at} how full the store is; \`systemctl list-timers 'llmagentos-*'\` on this node shows who should.`
  }

  async #read(): Promise<void> {
    try {
      const found: unknown = JSON.parse(await readFile(this.#config!.file, 'utf8'))
      if (!isFill(found)) throw new Error('it is not what it should be')
      this.#fill = found
      this.#trouble = undefined
    } catch (thrown) {
      this.#trouble = `How full the store is cannot be read from ${this.#config!.file}: ${reasonOf(thrown)}.`
    }
  }
}

const validate = new Ajv().compile(Fill)
const isFill = (found: unknown): found is Fill => validate(found)

const percent = (ratio: number) => `${Math.round(ratio * 100)} %`
