import Type, { type Static } from 'typebox'
import type { AskAnswer, AskRequest, Sampling } from '../../../../contracts/ask.ts'
import { route } from '../../../../contracts/route.ts'
import { badRequest } from '../../../refusal.ts'
import { asked, lastOf } from '../ask.ts'
import type { Entry, Gate } from '../gate.ts'
import { ChatMessage, Common, messageOf, samplingOf } from './request.ts'
import { sendEvents } from './stream.ts'

const Format = Type.Object({
  type: Type.Enum(['text', 'json_object', 'json_schema']),
  json_schema: Type.Optional(
    Type.Object({ schema: Type.Optional(Type.Object({}, { additionalProperties: true })) }),
  ),
})
const ChatBody = Type.Object({
  ...Common,
  messages: Type.Array(ChatMessage, { minItems: 1, maxItems: 1000 }),
  max_completion_tokens: Type.Optional(Type.Union([Type.Integer({ minimum: 1 }), Type.Null()])),
  response_format: Type.Optional(Type.Union([Format, Type.Null()])),
  tools: Type.Optional(Type.Union([Type.Array(Type.Unknown()), Type.Null()])),
})
type ChatBody = Static<typeof ChatBody>

export const chatRoute = route({
  method: 'POST',
  path: '/v1/chat/completions',
  says: 'Chat as OpenAI does it, streamed or not',
  to: 'gateway',
  scope: 'ask',
  body: ChatBody,
  streams: 'events',
  replies: { 200: Type.Unknown() },
})

export async function chat(entry: Entry, gate: Gate): Promise<unknown> {
  const body = entry.req.body as ChatBody
  const frames = asked(requestOf(body), entry, gate)
  const base = {
    id: `chatcmpl-${entry.hop.requestId}`,
    created: Math.floor(Date.now() / 1000),
    model: body.model,
  }
  if (!body.stream) return whole(base, await lastOf(frames))

  const chunk = (delta: object, finish: string | null) => ({
    ...base,
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
  })
  let begun = false
  return sendEvents(entry, frames, frame => {
    if (frame.type === 'text') {
      const role = begun ? {} : { role: 'assistant' }
      begun = true
      return [chunk({ ...role, content: frame.text }, null)]
    }
    if (frame.type !== 'done') return []
    const usage = { ...base, object: 'chat.completion.chunk', choices: [], usage: usageOf(frame.answer) }
    return [chunk({}, finishOf(frame.answer)), ...(body.stream_options?.include_usage ? [usage] : [])]
  })
}

function requestOf(body: ChatBody): AskRequest {
  if (body.tools && body.tools.length > 0)
    throw badRequest('tools are not taken here.', 'Send the request without `tools`.')
  return {
    messages: body.messages.map(messageOf),
    model: body.model,
    sampling: samplingOf(body, formatOf(body)),
  }
}

function formatOf({ response_format: format }: ChatBody): Sampling['format'] {
  if (!format || format.type === 'text') return undefined
  return format.type === 'json_object' ? 'json' : (format.json_schema?.schema ?? 'json')
}

function whole(base: object, answer: AskAnswer): object {
  const message = { role: 'assistant', content: answer.answer, refusal: null }
  return {
    ...base,
    object: 'chat.completion',
    choices: [{ index: 0, message, logprobs: null, finish_reason: finishOf(answer) }],
    usage: usageOf(answer),
  }
}

export const finishOf = (answer: AskAnswer) =>
  answer.finish === 'filtered' ? 'content_filter' : answer.finish

export const usageOf = ({ usage }: AskAnswer) => ({
  prompt_tokens: usage.promptTokens,
  completion_tokens: usage.completionTokens,
  total_tokens: usage.promptTokens + usage.completionTokens,
})
