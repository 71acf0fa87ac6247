import type { AskRequest, Frame } from '../../../contracts/ask.ts'
import { gather } from './context.ts'
import { infer } from './inference.ts'
import { understand } from './input.ts'
import { Refinement } from './output.ts'
import type { Asking } from './parts.ts'
import { Response } from './response.ts'

/** One question through the five stages. Frames come as they are made; the last one is `done`, or the generator throws. */
export async function* answer(request: AskRequest, asking: Asking): AsyncGenerator<Frame> {
  const response = new Response(asking)
  try {
    const input = understand(request, asking)
    response.reached('input', input)
    asking.parts.line.requireRoom({ user: asking.who.user, ...input })

    const context = await gather(input, asking)
    response.reached('context', context)
    if (context.passages.length > 0) yield { type: 'sources', sources: response.sources() }

    const refinement = new Refinement(asking.parts)
    answering: for await (const worked of infer(context, asking)) {
      for (const frame of refinement.take(worked)) {
        if (frame.type === 'end') {
          response.ended(frame)
          break answering
        }
        if (frame.type === 'text') response.add(frame.text)
        yield frame
      }
    }
    yield { type: 'done', answer: await response.finish() }
  } catch (thrown) {
    response.failed(thrown)
    throw thrown
  } finally {
    response.log()
  }
}
