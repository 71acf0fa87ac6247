import Type, { type Static } from 'typebox'
import { route } from '../../../../contracts/route.ts'
import { asked, lastOf } from '../ask.ts'
import type { Entry, Gate } from '../gate.ts'
import { finishOf, usageOf } from './chat.ts'
import { Common, samplingOf } from './request.ts'
import { sendEvents } from './stream.ts'

const CompletionBody = Type.Object({
  ...Common,
  prompt: Type.Union([Type.String(), Type.Array(Type.String(), { minItems: 1, maxItems: 1 })]),
})
type CompletionBody = Static<typeof CompletionBody>

export const completionRoute = route({
  method: 'POST',
  path: '/v1/completions',
  says: "OpenAI's older completions, for one prompt",
  to: 'gateway',
  scope: 'ask',
  body: CompletionBody,
  streams: 'events',
  replies: { 200: Type.Unknown() },
})

export async function completion(entry: Entry, gate: Gate): Promise<unknown> {
  const body = entry.req.body as CompletionBody
  const content = [body.prompt].flat()[0]!
  const frames = asked(
    { messages: [{ role: 'user', content }], model: body.model, sampling: samplingOf(body) },
    entry,
    gate,
  )
  const base = {
    id: `cmpl-${entry.hop.requestId}`,
    object: 'text_completion',
    created: Math.floor(Date.now() / 1000),
    model: body.model,
  }
  const part = (text: string, finish: string | null) => ({
    ...base,
    choices: [{ index: 0, text, logprobs: null, finish_reason: finish }],
  })
  if (!body.stream) {
    const answer = await lastOf(frames)
    return { ...part(answer.answer, finishOf(answer)), usage: usageOf(answer) }
  }
  return sendEvents(entry, frames, frame => {
    if (frame.type === 'text') return [part(frame.text, null)]
    if (frame.type !== 'done') return []
    const usage = { ...base, choices: [], usage: usageOf(frame.answer) }
    return [part('', finishOf(frame.answer)), ...(body.stream_options?.include_usage ? [usage] : [])]
  })
}
