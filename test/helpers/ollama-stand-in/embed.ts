import type { ServerResponse } from 'node:http'
import { type Body, json } from './body.ts'
import type { Held } from './state.ts'

/** `/api/embed`. */
export function embed(held: Held, body: Body, res: ServerResponse): void {
  const { dimensions } = held.script
  if (!dimensions) {
    json(res, 400, { error: 'this model does not support embeddings' })
    return
  }
  const inputs = [body.input ?? []].flat()
  json(res, 200, {
    model: body.model,
    embeddings: inputs.map(text => vectorOf(text, dimensions)),
    total_duration: 1_000_000,
    load_duration: 1_000_000,
    prompt_eval_count: inputs.join(' ').split(/\s+/).length,
  })
}

/** The same text has the same vector of length 1, and texts that share words are near each other. */
function vectorOf(text: string, dimensions: number): number[] {
  const vector = new Array<number>(dimensions).fill(0)
  for (const word of text.toLowerCase().match(/\w+/g) ?? []) {
    let hash = 7
    for (const c of word) hash = (hash * 31 + c.charCodeAt(0)) % 1_000_003
    vector[hash % dimensions]! += 1
  }
  const length = Math.hypot(...vector) || 1
  return vector.map(v => v / length)
}
