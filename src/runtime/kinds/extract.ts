import Type from 'typebox'
import { Errors } from 'typebox/schema'
import { listed } from './classify.ts'
import { type Kind, TaskFailure } from './kind.ts'
import { ModelParam, sourceFrom, TextParams, type TextSource, textOf } from './text.ts'
import { write } from './writing.ts'

interface Params extends TextSource {
  fields?: string[]
  schema?: object
  model?: string
}

const MOST_CHARS = 48_000
const TRIES = 2

export const extract: Kind<Params> = {
  name: 'extract',
  summary: 'Take facts out of a text as JSON',
  params: Type.Object(
    {
      ...TextParams,
      fields: Type.Optional(
        Type.Array(Type.String({ minLength: 1, maxLength: 100 }), {
          minItems: 1,
          maxItems: 50,
          uniqueItems: true,
        }),
      ),
      schema: Type.Optional(
        Type.Object({}, { additionalProperties: true, description: 'JSON schema of the result' }),
      ),
      ...ModelParam,
    },
    { additionalProperties: false },
  ),
  class: 'llm',
  examples: [
    {
      text: 'extract name and date from: Ada was born on 10 December 1815.',
      params: { fields: ['name', 'date'], text: 'Ada was born on 10 December 1815.' },
    },
  ],
  read(text) {
    const [, fields, rest] =
      /^(?:please\s{1,9})?extract\s{1,9}(?:the\s{1,9})?([^:\n]+?)\s{1,9}(?:from|out of)\s{0,9}:?\s{1,9}([\s\S]+)/i.exec(
        text,
      ) ?? []
    const source = rest && sourceFrom(rest)
    return fields && source ? { sure: 1, params: { fields: listed(fields), ...source } } : undefined
  },
  async run({ fields, schema: given, model, ...source }, tools) {
    const schema = given ?? schemaOf(fields)
    const text = (await textOf(source, tools)).slice(0, MOST_CHARS)
    let user = text
    let wrong = ''
    for (let attempt = 1; attempt <= TRIES; attempt++) {
      const written = await write(tools, {
        kind: 'extract',
        system: `Take the facts out of the text of the user. Answer with JSON that fits this schema, and nothing else; null where the text does not say it.\n${JSON.stringify(schema)}`,
        user,
        model,
        sampling: { temperature: 0, format: schema },
      })
      const read = readJson(written.answer)
      const fault = read.fault ?? faultOf(schema, read.data)
      if (!fault) return { data: read.data, engine: written.engine, model: written.model }
      wrong = fault
      tools.progress(`the answer does not fit: ${wrong}`)
      user = `${text}\n\nAn answer to this was: ${written.answer.slice(0, 4000)}\nIt is wrong: ${wrong}. Answer again, rightly.`
    }
    throw new TaskFailure(`The model's answer does not fit the schema, twice: ${wrong}.`, {
      next: 'Ask for fewer fields, or try a larger model with `--param model=NAME`.',
    })
  },
}

function schemaOf(fields: string[] | undefined): object {
  if (!fields) throw new TaskFailure('The task needs `fields` or `schema`.')
  const value = { type: ['string', 'number', 'boolean', 'array', 'null'] }
  return {
    type: 'object',
    properties: Object.fromEntries(fields.map(f => [f, value])),
    required: fields,
    additionalProperties: false,
  }
}

/** Models like to put JSON into a fence. */
function readJson(answer: string): { data?: unknown; fault?: string } {
  const inside = /```(?:json)?\s*([\s\S]*?)```/.exec(answer)?.[1] ?? answer
  try {
    return { data: JSON.parse(inside) }
  } catch {
    return { fault: 'it is not JSON' }
  }
}

function faultOf(schema: object, data: unknown): string | undefined {
  try {
    const [fits, errors] = Errors(schema, data)
    return fits ? undefined : `${errors[0]?.instancePath || 'it'} ${errors[0]?.message}`
  } catch (cause) {
    throw new TaskFailure('The given schema is not a JSON schema.', { cause })
  }
}
