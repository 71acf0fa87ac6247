import type { Static } from 'typebox'
import type { EmbedAnswer, EmbedRequest } from '../../../contracts/ask.ts'
import { workerEmbed } from '../../../contracts/worker.ts'
import { asSelf } from '../../hop.ts'
import { Refusal } from '../../refusal.ts'
import type { Asking } from './parts.ts'

/** Vectors of texts, by the model that is named or the first that embeds. */
export async function embedTexts(
  request: Static<typeof EmbedRequest>,
  { who, hop, parts }: Asking,
): Promise<EmbedAnswer> {
  const model = request.model ?? firstThatEmbeds(parts.workers.states().flatMap(w => w.state.models))
  const { candidates } = parts.workers.candidates(model)
  if (who.models && !who.models.includes(candidates[0]!.model)) {
    throw new Refusal(403, 'model', `The key may not use the model ${model}.`)
  }
  const worker = parts.workers.choose(candidates)
  const made = await parts.calls.call(workerEmbed, asSelf(hop), {
    peer: worker.peer,
    body: { model: worker.model, input: request.input },
  })
  const models = parts.workers.states().find(w => w.peer === worker.peer)?.state.models
  const digest = models?.find(m => m.name === worker.model)?.digest
  return { ...made, ...(digest && { digest }) }
}

function firstThatEmbeds(models: { name: string; embeds: boolean }[]): string {
  const found = models.find(m => m.embeds)
  if (found) return found.name
  throw new Refusal(404, 'no_embedding_model', 'No worker has an embedding model.', {
    next: 'Pull one: `llmagentos model pull nomic-embed-text`.',
  })
}
