import type { Static } from 'typebox'
import { type AskAnswer, type AskRequest, ask, type Frame } from '../../../contracts/ask.ts'
import { hopWith } from '../../hop.ts'
import { Refusal, refusalIn } from '../../refusal.ts'
import { sendLines } from '../../server/lines.ts'
import type { Entry, Gate } from './gate.ts'
import { spend } from './spend.ts'

/** Tokens set aside for an answer whose length its caller did not limit. */
const ANSWER_TOKENS = 1024

/** The native ask: frames or one document, with the tokens reserved before and settled after. */
export async function forwardAsk(entry: Entry, gate: Gate): Promise<unknown> {
  const request = entry.req.body as Static<typeof AskRequest>
  const frames = asked(request, entry, gate)
  if (request.stream) return sendLines(entry.reply, frames, entry.hop.requestId)
  return lastOf(frames)
}

/** The frames of one answer from llm; what the OpenAI routes translate too. */
export async function* asked(
  request: Static<typeof AskRequest>,
  { hop, admitted }: Pick<Entry, 'hop' | 'admitted'>,
  { deps, limits }: Gate,
): AsyncGenerator<Frame> {
  const settle = spend(limits, admitted, expectedTokens(request))
  let used = 0
  try {
    const frames = deps.calls.lines<Frame>(ask, hopWith(hop, { token: admitted.tokenFor('llm') }), {
      body: { ...request, stream: true },
    })
    for await (const frame of frames) {
      if (frame.type === 'error') throw refusalIn(frame)
      if (frame.type === 'done') used = frame.answer.usage.promptTokens + frame.answer.usage.completionTokens
      yield frame
      if (frame.type === 'done') return
    }
    throw new Refusal(502, 'cut', 'The answer ended before it was complete.')
  } finally {
    settle(used)
  }
}

export async function lastOf(frames: AsyncIterable<Frame>): Promise<AskAnswer> {
  for await (const frame of frames) if (frame.type === 'done') return frame.answer
  throw new Refusal(502, 'cut', 'The answer ended before it was complete.')
}

function expectedTokens(request: Static<typeof AskRequest>): number {
  const chars =
    (request.question ?? '').length + (request.messages ?? []).reduce((n, m) => n + m.content.length, 0)
  return Math.ceil(chars / 4) + (request.sampling?.maxTokens ?? ANSWER_TOKENS)
}
