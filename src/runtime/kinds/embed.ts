import Type from 'typebox'
import type { Kind } from './kind.ts'
import { ModelParam } from './text.ts'

interface Params {
  texts: string[]
  model?: string
}

/** Few enough for one request, and for the pause between two that lets others in. */
const AT_ONCE = 64

export const embed: Kind<Params> = {
  name: 'embed',
  summary: 'Turn texts into vectors',
  params: Type.Object(
    {
      texts: Type.Array(Type.String({ minLength: 1, maxLength: 100_000 }), { minItems: 1, maxItems: 10_000 }),
      ...ModelParam,
    },
    { additionalProperties: false },
  ),
  class: 'llm',
  examples: [{ text: 'embed: a quiet evening', params: { texts: ['a quiet evening'] } }],
  read(text) {
    const [, rest] = /^(?:please\s+)?embed\s*:?\s+([\s\S]+)/i.exec(text) ?? []
    return rest ? { sure: 1, params: { texts: [rest.trim()] } } : { sure: 0, params: { texts: [text] } }
  },
  async run({ texts, model }, tools) {
    const vectors: number[][] = []
    let used = model ?? ''
    for (let at = 0; at < texts.length; at += AT_ONCE) {
      const made = await tools.embed({ input: texts.slice(at, at + AT_ONCE), ...(model && { model }) })
      vectors.push(...made.vectors)
      used = made.model
      if (texts.length > AT_ONCE) tools.progress(`${vectors.length} of ${texts.length} texts`)
    }
    return { model: used, dims: vectors[0]?.length ?? 0, vectors }
  },
}
