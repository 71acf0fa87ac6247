import Type from 'typebox'
import { TaskFailure, type Tools } from './kind.ts'

/** A text as it stands, or an object of the user's that holds it: exactly one of the two. */
export const TextParams = {
  text: Type.Optional(Type.String({ minLength: 1, maxLength: 1_000_000 })),
  object: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 512,
      description: 'name of a stored object to read the text from',
    }),
  ),
}
export interface TextSource {
  text?: string
  object?: string
}

/** The model to use; absent = the cluster's default. */
export const ModelParam = { model: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })) }

export async function textOf(source: TextSource, tools: Tools): Promise<string> {
  if ((source.text === undefined) === (source.object === undefined))
    throw new TaskFailure('The task needs either `text` or `object`, and not both.')
  if (source.text !== undefined) return source.text
  const bytes = await tools.data.get(source.object!)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new TaskFailure(`The object ${source.object} is not text in UTF-8.`, {
      next: 'Add documents with `llmagentos kb add`, which reads PDF and HTML.',
      cause,
    })
  }
}

/** "the object notes.md" names an object; anything else is the text itself. */
export function sourceFrom(words: string): TextSource | undefined {
  const text = words.trim()
  if (!text) return undefined
  const [, object] = /^(?:the\s+)?object\s+(\S+)$/i.exec(text) ?? []
  return object ? { object } : { text }
}

/** Pieces of at most `chars`, cut between paragraphs where that is possible, else between sentences, words, or anywhere. */
export function splitText(text: string, chars: number): string[] {
  const parts: string[] = []
  let rest = text.trim()
  while (rest.length > chars) {
    const head = rest.slice(0, chars)
    const cut = [['\n\n'], ['. ', '! ', '? ', '.\n'], [' ', '\n']]
      .map(ends => Math.max(...ends.map(end => head.lastIndexOf(end) + end.length)))
      .find(at => at > chars / 3)
    const at = cut ?? chars
    parts.push(rest.slice(0, at).trim())
    rest = rest.slice(at).trim()
  }
  if (rest) parts.push(rest)
  return parts
}
