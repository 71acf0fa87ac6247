import { randomBytes } from 'node:crypto'
import type { Chunk } from '../../../../contracts/kb.ts'
import type { ObjectStore } from '../store/store.ts'
import { contentPrefix } from './names.ts'
import { createOnce, entries, purge } from './records.ts'

/** Well under the store's 8 MiB a record. */
const PART_BYTES = 4 * 1024 * 1024

interface StoredChunk {
  text: string
  position: Chunk['position']
  /** Base64 of 32-bit floats, little endian: a fifth of the same numbers in JSON. */
  vector?: string
}

/** Names content; fresh each time. */
export const versionNow = () =>
  `${Date.now().toString(16).padStart(12, '0')}${randomBytes(8).toString('hex')}`

/** Stores the chunks under `version`; they count once a document's record names it. Parts that are there already stay. */
export async function writeContent(
  store: ObjectStore,
  kb: string,
  o: { version: string; chunks: Chunk[] },
): Promise<void> {
  const prefix = contentPrefix(kb, o.version)
  const parts = partsOf(o.chunks)
  await Promise.all(parts.map((part, i) => createOnce(store, `${prefix}${String(i).padStart(6, '0')}`, part)))
}

/** When a version was begun, Unix milliseconds. */
export const writtenAt = (version: string) => Number.parseInt(version.slice(0, 12), 16)

export async function readContent(store: ObjectStore, kb: string, version: string): Promise<Chunk[]> {
  const chunks: Chunk[] = []
  for await (const { value } of entries(store, contentPrefix(kb, version), { values: true })) {
    for (const stored of JSON.parse(value!.toString('utf8')) as StoredChunk[]) {
      const { vector, ...rest } = stored
      chunks.push(vector === undefined ? rest : { ...rest, vector: unpack(vector) })
    }
  }
  return chunks
}

export const dropContent = (store: ObjectStore, kb: string, version: string) =>
  purge(store, contentPrefix(kb, version))

function partsOf(chunks: Chunk[]): Buffer[] {
  const parts: Buffer[] = []
  let texts: string[] = []
  let bytes = 0
  const flush = () => {
    if (texts.length > 0) parts.push(Buffer.from(`[${texts.join(',')}]`))
    texts = []
    bytes = 0
  }
  for (const { vector, ...rest } of chunks) {
    const stored: StoredChunk = vector ? { ...rest, vector: pack(vector) } : rest
    const text = JSON.stringify(stored)
    const size = Buffer.byteLength(text) + 1
    if (bytes + size > PART_BYTES) flush()
    texts.push(text)
    bytes += size
  }
  flush()
  return parts
}

const pack = (vector: number[]) => Buffer.from(new Float32Array(vector).buffer).toString('base64')

function unpack(text: string): number[] {
  const bytes = Buffer.from(text, 'base64')
  return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(i * 4))
}
