import type { Understood } from '../../contracts/tasks.ts'
import { wrongWith } from './check.ts'
import type { Kind } from './kind.ts'

type Read = Pick<Understood, 'kind' | 'params'>

/** What plain words mean by the kinds' own rules: the surest kind; without one a question is answered and anything else is written. */
export function readByRules(text: string, kinds: Iterable<Kind>): Read | undefined {
  const words = text.trim()
  const all = [...kinds]
  let best: { kind: Kind; sure: number; params: unknown } | undefined
  for (const kind of all) {
    const exact = kind.examples.find(e => sameWords(e.text, words))
    const read = exact ? { sure: 2, params: exact.params } : kind.read?.(words)
    if (read && read.sure > (best?.sure ?? 0) && !wrongWith(kind, read.params)) best = { kind, ...read }
  }
  if (best) return { kind: best.kind.name, params: best.params as Understood['params'] }
  const fallback = all.find(k => k.name === (looksLikeQuestion(words) ? 'qa' : 'generate'))
  const read = fallback?.read?.(words)
  return read && { kind: fallback!.name, params: read.params as Understood['params'] }
}

/** One sentence for people: what will be done with what. */
export function sayUnderstood(kind: Kind, params: object): string {
  const given = Object.entries(params).map(([name, value]) => `${name} ${brief(value)}`)
  return given.length > 0 ? `${kind.summary}: ${given.join(', ')}.` : `${kind.summary}.`
}

const QUESTION =
  /\?\s*$|^(what|who|whom|whose|which|when|where|why|how|is|are|was|were|do|does|did|can|could|should|would|will)\b/i

export const looksLikeQuestion = (text: string) => QUESTION.test(text.trim())

const sameWords = (a: string, b: string) =>
  a.toLowerCase().replace(/\W+/g, ' ').trim() === b.toLowerCase().replace(/\W+/g, ' ').trim()

function brief(value: unknown): string {
  const text = typeof value === 'string' ? `"${value.replace(/\s+/g, ' ')}"` : JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 56)}..."`.replace(/"{2}$/, '"') : text
}
