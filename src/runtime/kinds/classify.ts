import Type from 'typebox'
import { type Kind, TaskFailure } from './kind.ts'
import { ModelParam, sourceFrom, TextParams, type TextSource, textOf } from './text.ts'
import { write } from './writing.ts'

interface Params extends TextSource {
  labels: string[]
  model?: string
}

const MOST_CHARS = 24_000

export const classify: Kind<Params> = {
  name: 'classify',
  summary: 'Put a text under one of the given labels',
  params: Type.Object(
    {
      ...TextParams,
      labels: Type.Array(Type.String({ minLength: 1, maxLength: 100 }), {
        minItems: 2,
        maxItems: 50,
        uniqueItems: true,
      }),
      ...ModelParam,
    },
    { additionalProperties: false },
  ),
  class: 'llm',
  examples: [
    {
      text: 'classify as praise, complaint or question: The disk is full again.',
      params: { labels: ['praise', 'complaint', 'question'], text: 'The disk is full again.' },
    },
  ],
  read(text) {
    const [, labels, rest] =
      /^(?:please\s{1,9})?classify\s{1,9}(?:this\s{1,9})?(?:as|into|by)\s{1,9}([^:\n]+):\s*([\s\S]+)/i.exec(
        text,
      ) ?? []
    const source = rest && sourceFrom(rest)
    return labels && source ? { sure: 1, params: { labels: listed(labels), ...source } } : undefined
  },
  async run({ labels, model, ...source }, tools) {
    const text = (await textOf(source, tools)).slice(0, MOST_CHARS)
    const written = await write(tools, {
      kind: 'classify',
      system: `Put the text of the user under exactly one of these labels: ${JSON.stringify(labels)}. Answer with JSON {"label", "because"}; "because" is one short sentence.`,
      user: text,
      model,
      sampling: { temperature: 0, maxTokens: 200, format: answerSchema(labels) },
    })
    const { label, because } = readJson(written.answer)
    const known = labels.find(l => l.toLowerCase() === String(label).trim().toLowerCase())
    if (!known)
      throw new TaskFailure(`The model gave "${String(label).slice(0, 60)}", which is none of the labels.`, {
        next: 'Try a larger model with `--param model=NAME`.',
      })
    return {
      label: known,
      ...(typeof because === 'string' && { because }),
      engine: written.engine,
      model: written.model,
    }
  },
}

/** "a, b or c" and "a/b/c" as a list. */
export const listed = (words: string) =>
  words
    .split(/[,/](?:\s?(?:and|or)\s)?|\s(?:and|or)\s/i)
    .map(w => w.trim())
    .filter(Boolean)

const answerSchema = (labels: string[]) => ({
  type: 'object',
  properties: { label: { enum: labels }, because: { type: 'string' } },
  required: ['label', 'because'],
})

function readJson(answer: string): { label?: unknown; because?: unknown } {
  try {
    return JSON.parse(answer)
  } catch {
    return { label: answer }
  }
}
