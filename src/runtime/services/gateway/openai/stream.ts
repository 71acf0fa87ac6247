import type { Frame } from '../../../../contracts/ask.ts'
import { asRefusal } from '../../../server/errors.ts'
import { Outbox } from '../../../server/outbox.ts'
import type { Entry } from '../gate.ts'
import { openAiError } from './errors.ts'

/** A reader that meets an event and the end of its connection at once may drop the event, so it gets this much time. */
const CUT_MS = 100

/**
 * Sends an answer as server-sent events. After the first token a failure is an error event without `[DONE]`, and the socket is destroyed:
 * a cut answer never looks complete. While nothing comes a comment keeps the line alive.
 */
export async function sendEvents(
  entry: Entry,
  frames: AsyncIterable<Frame>,
  events: (frame: Frame) => object[],
): Promise<void> {
  const iterator = frames[Symbol.asyncIterator]()
  const first = await iterator.next()
  const { reply } = entry
  reply.hijack()
  const out = reply.raw
  out.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
  })
  const box = new Outbox(out)
  try {
    for (let step = first; !step.done && !out.destroyed; step = await iterator.next()) {
      const text =
        step.value.type === 'state' || step.value.type === 'beat'
          ? ': waiting\n\n'
          : lines(events(step.value))
      const full = text ? box.put(text) : undefined
      if (full) await full
    }
    box.end('data: [DONE]\n\n')
  } catch (thrown) {
    box.cut(lines([openAiError(asRefusal(thrown))]), CUT_MS)
  } finally {
    await iterator.return?.()
  }
}

const lines = (events: object[]) => events.map(e => `data: ${JSON.stringify(e)}\n\n`).join('')
