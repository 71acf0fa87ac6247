import { badRequest, Refusal } from '../../../refusal.ts'
import type { NewDocument } from './documents.ts'

const MOST_CHUNK_CHARS = 1024 * 1024

/** What a schema cannot say about a parsed document. Throws a Refusal. */
export function checkDocument(document: NewDocument): void {
  const { id, embedding, chunks } = document
  if (/[\u0000-\u001f\u007f]/.test(id) || Buffer.from(id).toString() !== id)
    throw badRequest(
      'The id of a document must be text without control characters.',
      'Rename the file, then add it again.',
    )
  const large = chunks.findIndex(c => c.text.length > MOST_CHUNK_CHARS)
  if (large >= 0)
    throw new Refusal(
      413,
      'too_large',
      `Chunk ${large} of ${id} is longer than ${MOST_CHUNK_CHARS} characters.`,
    )
  const wrong = chunks.findIndex(c => c.vector?.length !== embedding?.dims)
  if (wrong >= 0)
    throw badRequest(
      embedding
        ? `Chunk ${wrong} of ${id} must have a vector of ${embedding.dims} numbers, because its document names the model ${embedding.model}.`
        : `Chunk ${wrong} of ${id} has a vector, but its document names no embedding model.`,
    )
}
