import Type from 'typebox'
import type { Kind, Tools } from './kind.ts'
import { mainSentences } from './sentences.ts'
import { ModelParam, sourceFrom, splitText, TextParams, type TextSource, textOf } from './text.ts'
import { QUOTING } from './writing.ts'

interface Params extends TextSource {
  sentences?: number
  model?: string
}

/** Characters that fit the window of a small model with room for its answer. */
const PART_CHARS = 12_000
const DEFAULT_SENTENCES = 5
/** Each round of parts makes the text several times shorter, so a book is done in three. */
const ROUNDS = 5

export const summarize: Kind<Params> = {
  name: 'summarize',
  summary: 'Sum up a text',
  params: Type.Object(
    { ...TextParams, sentences: Type.Optional(Type.Integer({ minimum: 1, maximum: 50 })), ...ModelParam },
    { additionalProperties: false },
  ),
  class: 'llm',
  examples: [
    { text: 'summarize the object notes.md', params: { object: 'notes.md' } },
    {
      text: 'sum up in 2 sentences: Ceph stores objects. It spreads them over machines. It heals itself.',
      params: {
        sentences: 2,
        text: 'Ceph stores objects. It spreads them over machines. It heals itself.',
      },
    },
  ],
  read(text) {
    const [, count, rest] =
      /^(?:please\s+)?(?:summari[sz]e|sum up|summary of|tl;?dr)\b(?:\s+in\s+(\d{1,2})\s+sentences?)?\s*(?:of|this)?\s*:?\s*([\s\S]*)/i.exec(
        text,
      ) ?? []
    if (rest === undefined) return { sure: 0, params: sourceFrom(text) ?? {} }
    const source = sourceFrom(rest)
    return source && { sure: 1, params: { ...(count && { sentences: Number(count) }), ...source } }
  },
  async run({ sentences = DEFAULT_SENTENCES, model, ...source }, tools) {
    const whole = await textOf(source, tools)
    let text = whole
    for (let round = 0; round < ROUNDS && text.length > PART_CHARS; round++) {
      const parts = splitText(text, PART_CHARS)
      const short: string[] = []
      for (const part of parts) {
        const summary = await sumUp(part, { sentences: 8, model, tools })
        if (!summary.wrote) return quoted(whole, sentences)
        short.push(summary.text)
        tools.progress(`summed up ${short.length} of ${parts.length} parts`)
      }
      text = short.join('\n\n')
    }
    const summary = await sumUp(text.slice(0, PART_CHARS), { sentences, model, tools })
    if (!summary.wrote) return quoted(whole, sentences)
    return { summary: summary.text, engine: summary.engine, model: summary.model }
  },
}

async function sumUp(text: string, o: { sentences: number; model?: string; tools: Tools }) {
  const answer = await o.tools.ask({
    messages: [
      {
        role: 'system',
        content: `Sum up the text of the user in at most ${o.sentences} sentences. Answer with the summary alone.`,
      },
      { role: 'user', content: text },
    ],
    kb: [],
    ...(o.model && { model: o.model }),
    sampling: { temperature: 0.2 },
  })
  return { wrote: answer.engine !== QUOTING, text: answer.answer, engine: answer.engine, model: answer.model }
}

/** Without a model that writes: the sentences that say most, in their order. */
const quoted = (text: string, sentences: number) => ({
  summary: mainSentences(text, sentences).join(' '),
  engine: QUOTING,
  note: 'No language model is here, so these are sentences of the text itself, not a summary in new words.',
})
