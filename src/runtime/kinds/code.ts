import Type from 'typebox'
import type { Kind } from './kind.ts'
import { ModelParam } from './text.ts'
import { write } from './writing.ts'

interface Params {
  instructions: string
  language?: string
  model?: string
}

const NAMES =
  'python|javascript|typescript|bash|shell|sql|rust|go|java|c\\+\\+|c#|ruby|php|perl|kotlin|swift|html|css|awk'
const LANGUAGE = new RegExp(`\\b(${NAMES})(?![\\w+#])`, 'i')
const IN_LANGUAGE = new RegExp(`\\bin (${NAMES})(?![\\w+#])`, 'i')
/** What is to be written is code, not a text about it: "a python function", but not "a poem about a class". */
const CODE =
  /^(?:please\s+)?(?:write|create|implement|generate|code|program)\s+(?:(?!about|for|of|on|to|that|which|with)[\w+#'-]+\s+){0,5}?(?:functions?|class(?:es)?|programs?|scripts?|code|quer(?:y|ies)|regex|regular expression|modules?|one-liner|unit tests?)\b/i
const VERB = /^(?:please\s+)?(?:write|create|implement|generate|code|program)\b/i

/** Writes code and hands it back; nothing here ever runs it. */
export const code: Kind<Params> = {
  name: 'code',
  summary: 'Write code to order, without running it',
  params: Type.Object(
    {
      instructions: Type.String({ minLength: 1, maxLength: 200_000 }),
      language: Type.Optional(Type.String({ minLength: 1, maxLength: 40 })),
      ...ModelParam,
    },
    { additionalProperties: false },
  ),
  class: 'llm',
  examples: [
    {
      text: 'write a python function that parses an ISO date',
      params: { instructions: 'write a python function that parses an ISO date', language: 'python' },
    },
  ],
  read(text) {
    const [language] = LANGUAGE.exec(text) ?? []
    const asked = CODE.test(text) || (VERB.test(text) && IN_LANGUAGE.test(text))
    return {
      sure: asked ? 0.9 : 0,
      params: { instructions: text, ...(language && { language: language.toLowerCase() }) },
    }
  },
  async run({ instructions, language, model }, tools) {
    const written = await write(tools, {
      kind: 'code',
      system: `You write ${language ?? 'program'} code. Answer with one fenced block of complete code, then at most three sentences about it.`,
      user: instructions,
      model,
      sampling: { temperature: 0.2 },
    })
    return { ...fenced(written.answer, language), engine: written.engine, model: written.model }
  },
}

/** The first fenced block and what stands around it; an answer without a fence is all code. */
export function fenced(answer: string, language?: string) {
  const block = /```([\w+#-]*)[^\n]*\n([\s\S]*?)(?:```|$)/.exec(answer)
  if (!block) return { code: answer.trim(), language }
  const notes = (answer.slice(0, block.index) + answer.slice(block.index + block[0].length)).trim()
  return { code: block[2]!.trimEnd(), language: block[1] || language, ...(notes && { notes }) }
}
