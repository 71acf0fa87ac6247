import { createHash, randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { checkRecord, type ObjectStore } from '../../src/runtime/services/data/store/store.ts'

/** A store in memory, for tests alone: quick, and gone with the process. */
export function memoryStore(): ObjectStore {
  const records = new Map<string, { record: Buffer; writer: string }>()
  const blobs = new Map<string, { bytes: Buffer; storedAt: number }>()
  return {
    async create(name, record, writer) {
      checkRecord(name, record, writer)
      const found = records.get(name)
      if (found) return { created: false, writer: found.writer }
      records.set(name, { record: Buffer.from(record), writer })
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
        .map(name => (o.values ? { name, value: Buffer.from(records.get(name)!.record) } : { name }))
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
  }
}
