import Type, { type Static } from 'typebox'
import { embed } from '../../../../contracts/ask.ts'
import { route } from '../../../../contracts/route.ts'
import type { Entry, Gate } from '../gate.ts'
import { spend } from '../spend.ts'

const EmbeddingsBody = Type.Object({
  model: Type.String({ minLength: 1, maxLength: 200 }),
  input: Type.Union([
    Type.String({ minLength: 1 }),
    Type.Array(Type.String(), { minItems: 1, maxItems: 512 }),
  ]),
  encoding_format: Type.Optional(Type.Enum(['float', 'base64'])),
})
type EmbeddingsBody = Static<typeof EmbeddingsBody>

export const embeddingsRoute = route({
  method: 'POST',
  path: '/v1/embeddings',
  says: 'Vectors of texts, as OpenAI does it',
  to: 'gateway',
  scope: 'ask',
  body: EmbeddingsBody,
  bodyLimit: 8 * 1024 * 1024,
  replies: { 200: Type.Unknown() },
})

export async function embeddings({ req, hop, admitted }: Entry, { deps, limits }: Gate): Promise<unknown> {
  const body = req.body as EmbeddingsBody
  const input = [body.input].flat()
  const settle = spend(limits, admitted, Math.ceil(input.reduce((n, t) => n + t.length, 0) / 4))
  let used = 0
  try {
    const made = await deps.calls.call(
      embed,
      { ...hop, token: admitted.tokenFor('llm') },
      { body: { model: body.model, input } },
    )
    used = made.usage.promptTokens
    // The official client asks for base64 unless told otherwise: little-endian 32-bit floats.
    const encoded = (v: number[]) =>
      body.encoding_format === 'base64' ? Buffer.from(Float32Array.from(v).buffer).toString('base64') : v
    return {
      object: 'list',
      model: body.model,
      data: made.vectors.map((v, index) => ({ object: 'embedding', index, embedding: encoded(v) })),
      usage: { prompt_tokens: used, total_tokens: used },
    }
  } finally {
    settle(used)
  }
}
