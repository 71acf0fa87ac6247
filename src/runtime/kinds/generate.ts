import Type from 'typebox'
import type { Kind } from './kind.ts'
import { ModelParam } from './text.ts'
import { write } from './writing.ts'

interface Params {
  prompt: string
  maxTokens?: number
  temperature?: number
  model?: string
}

export const generate: Kind<Params> = {
  name: 'generate',
  summary: 'Write a text to order',
  params: Type.Object(
    {
      prompt: Type.String({ minLength: 1, maxLength: 200_000 }),
      maxTokens: Type.Optional(Type.Integer({ minimum: 1, maximum: 131_072 })),
      temperature: Type.Optional(Type.Number({ minimum: 0, maximum: 2 })),
      ...ModelParam,
    },
    { additionalProperties: false },
  ),
  class: 'llm',
  examples: [
    {
      text: 'write a short welcome mail for new users',
      params: { prompt: 'write a short welcome mail for new users' },
    },
  ],
  read: text => ({
    sure: /^(please\s+)?(write|compose|draft|generate|invent|translate|rewrite)\b/i.test(text) ? 0.7 : 0,
    params: { prompt: text },
  }),
  async run({ prompt, maxTokens, temperature, model }, tools) {
    const written = await write(tools, {
      kind: 'generate',
      system: 'Do what the user asks. Answer with the text alone, without a remark about it.',
      user: prompt,
      model,
      sampling: {
        ...(maxTokens !== undefined && { maxTokens }),
        ...(temperature !== undefined && { temperature }),
      },
    })
    return { text: written.answer, engine: written.engine, model: written.model, finish: written.finish }
  },
}
