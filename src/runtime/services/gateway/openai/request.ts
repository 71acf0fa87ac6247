import Type, { type Static } from 'typebox'
import type { Message, Sampling } from '../../../../contracts/ask.ts'
import { badRequest } from '../../../refusal.ts'

const SAFE = { minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }

/** What both kinds of completion take. Fields that are not named here are ignored, as OpenAI's clients expect. */
export const Common = {
  model: Type.String({ minLength: 1, maxLength: 200 }),
  stream: Type.Optional(Type.Union([Type.Boolean(), Type.Null()])),
  stream_options: Type.Optional(
    Type.Union([Type.Object({ include_usage: Type.Optional(Type.Boolean()) }), Type.Null()]),
  ),
  max_tokens: Type.Optional(Type.Union([Type.Integer({ minimum: 1 }), Type.Null()])),
  temperature: Type.Optional(Type.Union([Type.Number({ minimum: 0, maximum: 2 }), Type.Null()])),
  top_p: Type.Optional(Type.Union([Type.Number({ minimum: 0, maximum: 1 }), Type.Null()])),
  stop: Type.Optional(Type.Union([Type.String(), Type.Array(Type.String(), { maxItems: 8 }), Type.Null()])),
  seed: Type.Optional(Type.Union([Type.Integer(SAFE), Type.Null()])),
  n: Type.Optional(Type.Union([Type.Integer({ minimum: 1 }), Type.Null()])),
}
const CommonBody = Type.Object(Common)

export function samplingOf(
  body: Static<typeof CommonBody> & { max_completion_tokens?: number | null },
  format?: Sampling['format'],
): Sampling {
  if ((body.n ?? 1) > 1) throw badRequest('n must be 1: one answer is made per request.')
  const given: Sampling = {
    maxTokens: body.max_completion_tokens ?? body.max_tokens ?? undefined,
    temperature: body.temperature ?? undefined,
    topP: body.top_p ?? undefined,
    stop: typeof body.stop === 'string' ? [body.stop] : (body.stop ?? undefined),
    seed: body.seed ?? undefined,
    format,
  }
  return Object.fromEntries(Object.entries(given).filter(([, v]) => v !== undefined))
}

const Part = Type.Object({ type: Type.String(), text: Type.Optional(Type.String()) })
export const ChatMessage = Type.Object({
  role: Type.Enum(['system', 'developer', 'user', 'assistant']),
  content: Type.Union([Type.String(), Type.Array(Part), Type.Null()]),
})

export function messageOf(m: Static<typeof ChatMessage>): Message {
  const role = m.role === 'developer' ? 'system' : m.role
  if (typeof m.content === 'string' || m.content === null) return { role, content: m.content ?? '' }
  const other = m.content.find(p => p.type !== 'text')
  if (other) throw badRequest(`Content of type ${other.type} is not taken; send text.`)
  return { role, content: m.content.map(p => p.text ?? '').join('') }
}
