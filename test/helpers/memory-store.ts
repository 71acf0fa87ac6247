import { createHash, randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { checkRecord, type Mark, type ObjectStore } from '../../src/runtime/services/data/store/store.ts'

/** A store in memory, for tests alone: quick, and gone with the process. With `inlineBytes` it is used as one that is far. */
export function memoryStore(o: { inlineBytes?: number } = {}): ObjectStore {
  const { inlineBytes } = o
  const records = new Map<string, { record: Buffer; writer: string; mark: Mark }>()
  const blobs = new Map<string, { bytes: Buffer; storedAt: number }>()
  return {
    async create(name, record, writer) {
      checkRecord(name, record, writer)
      const found = records.get(name)
      if (found) return { created: false, writer: found.writer }
      records.set(name, { record: Buffer.from(record), writer, mark: 0 })
      return { created: true, writer }
    },
    async get(name) {
      const found = records.get(name)
      return found && Buffer.from(found.record)
    },
    async list(prefix, o) {
      const names = [...records.keys()].filter(
        n => n.startsWith(prefix) && (o.after === undefined || n > o.after),
      )
      return names
        .sort()
        .slice(0, o.limit)
        .map(name =>
          o.values ? { name, value: Buffer.from(records.get(name)!.record.subarray(0, o.most)) } : { name },
        )
    },
    async delete(name) {
      records.delete(name)
    },
    async putBlob(body, as) {
      const bytes = await buffer(body)
      const blob = as ?? randomUUID().replaceAll('-', '')
      blobs.set(blob, { bytes, storedAt: Date.now() })
      return { blob, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
    },
    async getBlob(blob, range) {
      const found = blobs.get(blob)?.bytes
      if (!found) return undefined
      const part = range ? found.subarray(range.from, range.to + 1) : found
      return { bytes: found.length, body: Readable.from(part.length > 0 ? [part] : []) }
    },
    async deleteBlob(blob) {
      blobs.delete(blob)
    },
    async listBlobs(o) {
      const names = [...blobs.keys()].filter(n => n > (o.after ?? '')).sort()
      return names.slice(0, o.limit).map(blob => ({ blob, storedAt: blobs.get(blob)!.storedAt }))
    },
    async close() {},
    ...(inlineBytes !== undefined && {
      far: {
        inlineBytes,
        async read(name, most) {
          const found = records.get(name)
          return found && { record: Buffer.from(found.record.subarray(0, most)), mark: found.mark }
        },
        async open(name) {
          const found = records.get(name)
          return found && { body: Readable.from([Buffer.from(found.record)]), mark: found.mark }
        },
        async mark(name, mark) {
          const found = records.get(name)
          if (found) found.mark = mark
          return found !== undefined
        },
      },
    }),
  }
}
