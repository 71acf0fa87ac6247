import type { Chunk } from '../../../contracts/kb.ts'
import { Refusal } from '../../refusal.ts'
import type { Tools } from '../kind.ts'
import type { ParsedDocument } from './document.ts'

/** So many chunks travel to the model at once: a request stays under half a minute on a CPU. */
const BATCH = 64

interface Embedding {
  model: string
  digest: string
  dims: number
}

/** Adds vectors where the cluster has an embedding model; without one the chunks stay as they are and are found by their words. */
export async function addVectors(
  document: ParsedDocument,
  tools: Tools,
): Promise<{ chunks: Chunk[]; embedding?: Embedding }> {
  const chunks: Chunk[] = []
  let embedding: Embedding | undefined
  for (let at = 0; at < document.chunks.length; at += BATCH) {
    const batch = document.chunks.slice(at, at + BATCH)
    const made = await embed(document, batch, { model: embedding?.model, tools })
    if (!made) return { chunks: document.chunks }
    const dims = made.vectors[0]?.length ?? 0
    embedding ??= { model: made.model, digest: made.digest, dims }
    // A model that changed under its name would make vectors that no query can be compared with.
    if (made.digest !== embedding.digest || made.vectors.some(v => v.length !== embedding!.dims))
      throw new Refusal(
        503,
        'model_changed',
        `The model ${made.model} changed while ${document.title} was read.`,
      )
    chunks.push(...batch.map((chunk, i) => ({ ...chunk, vector: made.vectors[i]! })))
  }
  return { chunks, embedding }
}

/** Undefined when no model embeds, or when the one that does cannot be told from another of its name. */
async function embed(
  document: ParsedDocument,
  chunks: Chunk[],
  o: { model?: string; tools: Tools },
): Promise<{ model: string; digest: string; vectors: number[][] } | undefined> {
  const input = chunks.map(c => [document.title, c.position.heading, c.text].filter(Boolean).join('\n'))
  try {
    const made = await o.tools.embed({ input, model: o.model })
    return made.digest ? { model: made.model, digest: made.digest, vectors: made.vectors } : undefined
  } catch (thrown) {
    if (thrown instanceof Refusal && thrown.code === 'no_embedding_model') return undefined
    throw thrown
  }
}
