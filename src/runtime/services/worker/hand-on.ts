import type { FastifyReply } from 'fastify'
import type { Address } from '../../../contracts/config.ts'
import { MODEL_DEADLINE_MS } from '../../../contracts/hop.ts'
import { workerBlob, workerManifest } from '../../../contracts/worker.ts'
import { ownHop } from '../../hop.ts'
import { badRequest } from '../../refusal.ts'
import { rangeOf } from '../../server/range.ts'
import type { Calls } from '../../transport.ts'
import type { Sourced } from './backends/ollama/pulls.ts'
import type { Shelf } from './backends/ollama/shelf.ts'

/** A worker that says nothing for so long has died; Ollama then asks again for what is missing. */
const SILENCE_MS = 20_000
/** The disk is looked at as often as that. */
const LOOK_MS = 5_000

/** The model at another worker of this cluster. Throws 400 for an address that is none of them. */
export function sourceAt(calls: Calls, from: Address, name: string): Sourced {
  const where = JSON.stringify(from)
  const peer = calls.peers('worker').find(({ at }) => JSON.stringify(at) === where)
  if (!peer) throw badRequest(`No worker of this cluster is at ${where}.`)
  return async signal => {
    const hop = ownHop(MODEL_DEADLINE_MS, signal)
    const manifest = await calls.call(workerManifest, hop, { peer, params: { '*': name } })
    return {
      manifest,
      blob: (digest, range) =>
        calls.raw(workerBlob, hop, {
          peer,
          params: { digest },
          headers: range === undefined ? {} : { range },
          silenceMs: SILENCE_MS,
        }),
    }
  }
}

/** A layer, or the part of it that is asked for. */
export async function sendBlob(
  shelf: Shelf,
  digest: string,
  { range, reply }: { range: string | undefined; reply: FastifyReply },
): Promise<undefined> {
  const bytes = await shelf.bytesOf(digest)
  const part = rangeOf(range, bytes)
  reply.header('content-type', 'application/octet-stream').header('accept-ranges', 'bytes')
  if (part) reply.code(206).header('content-range', `bytes ${part.from}-${part.to}/${bytes}`)
  reply.header('content-length', part ? part.to - part.from + 1 : bytes)
  await reply.send(shelf.read(digest, part))
  return undefined
}

/** How much room there was a moment ago: states are told too often to ask each time. */
export class FreeRoom {
  bytes: number | undefined
  readonly #look: () => Promise<number | undefined>
  readonly #timer: NodeJS.Timeout

  constructor(look: () => Promise<number | undefined>) {
    this.#look = look
    this.#timer = setInterval(() => void this.look(), LOOK_MS).unref()
  }

  async look(): Promise<void> {
    this.bytes = await this.#look()
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
