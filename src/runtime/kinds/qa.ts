import Type from 'typebox'
import { KB_NAME } from '../../contracts/ask.ts'
import type { Kind } from './kind.ts'
import { looksLikeQuestion } from './parse.ts'
import { ModelParam } from './text.ts'

interface Params {
  question: string
  kb?: string[]
  model?: string
}

/** Answers from knowledge, with sources; works on every engine. */
export const qa: Kind<Params> = {
  name: 'qa',
  summary: 'Answer a question from the knowledge bases',
  params: Type.Object(
    {
      question: Type.String({ minLength: 1, maxLength: 100_000 }),
      kb: Type.Optional(Type.Array(Type.String({ pattern: KB_NAME }), { maxItems: 16 })),
      ...ModelParam,
    },
    { additionalProperties: false },
  ),
  class: 'llm',
  examples: [
    { text: 'how do I add a node?', params: { question: 'how do I add a node?' } },
    { text: 'answer: what does cluster down keep?', params: { question: 'what does cluster down keep?' } },
  ],
  read(text) {
    const [, told] = /^(?:please\s+)?answer\s*:?\s+(.+)/is.exec(text) ?? []
    if (told) return { sure: 1, params: { question: told.trim() } }
    return { sure: looksLikeQuestion(text) ? 0.6 : 0, params: { question: text } }
  },
  async run({ question, kb, model }, tools) {
    const found = await tools.ask({ question, ...(kb && { kb }), ...(model && { model }) })
    const { answer, sources, engine, finish } = found
    return { answer, sources, engine, model: found.model, finish }
  },
}
