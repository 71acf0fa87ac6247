import type { FastifyReply } from 'fastify'
import { STREAM_BEAT_MS } from '../../contracts/hop.ts'
import { asRefusal } from './errors.ts'
import { Outbox } from './outbox.ts'

/**
 * Sends frames as NDJSON lines, with a beat in every silent second, the first one included, so that the reader can tell slow from dead.
 * What is thrown before anything was sent is an ordinary refusal; later it becomes an error frame.
 */
export async function sendLines(
  reply: FastifyReply,
  frames: AsyncIterable<object>,
  requestId?: string,
): Promise<void> {
  const iterator = frames[Symbol.asyncIterator]()
  const first = iterator.next()
  const slow = await isSlow(first)
  reply.hijack()
  const out = reply.raw
  out.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': 'application/x-ndjson',
    'cache-control': 'no-store',
  })
  const box = new Outbox(out)
  // The head goes with the first frame, as one write, unless that is slow.
  if (slow) out.flushHeaders()
  const beat = setInterval(() => void box.put('{"type":"beat"}\n'), STREAM_BEAT_MS)
  let last = ''
  try {
    for (let step = await first; !step.done && !out.destroyed; step = await iterator.next()) {
      beat.refresh()
      const full = box.put(`${JSON.stringify(step.value)}\n`)
      if (full) await full
    }
  } catch (thrown) {
    last = `${JSON.stringify(asRefusal(thrown).frame(requestId))}\n`
  } finally {
    clearInterval(beat)
    await iterator.return?.()
    box.end(last)
  }
}

/** Whether the first frame takes longer than a reader may be left without a sign. Throws what it threw. */
async function isSlow(first: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>(resolve => {
    timer = setTimeout(resolve, STREAM_BEAT_MS, true)
  })
  const inTime = first.then(() => false)
  return Promise.race([inTime, late]).finally(() => clearTimeout(timer))
}
