import { createHash } from 'node:crypto'
import type { Chunk, KbDocument } from '../../../../contracts/kb.ts'
import type { Embedding, IndexedDocument } from '../index/rows.ts'
import type { ObjectStore } from '../store/store.ts'
import { dropContent, readContent, versionNow, writeContent, writtenAt } from './content.ts'
import { afterDocument, contentsOf, documentPrefix, documentsOf } from './names.ts'
import { createVersion, entries, heads, newest, purge } from './records.ts'

/** A write carries a deadline of at most an hour (RUNTIME section 2.6). */
const LONGEST_WRITE_MS = 3_600_000
const MOST_READS = 5

export interface NewDocument {
  id: string
  title: string
  type: string
  sha256: string
  bytes: number
  embedding?: Embedding
  chunks: Chunk[]
}

export interface StoredDocument extends KbDocument {
  embedding?: Embedding
  /** Names the content. */
  version: string
  /** Of everything that was put, so that a repeat is known as one. */
  digest: string
  removed?: boolean
  /** Unix milliseconds. */
  removedAt?: number
}

/** The documents of one knowledge base as the store holds them: the truth, from which the index can be built at any time. */
export class Documents {
  readonly #store: ObjectStore
  readonly #kb: string
  readonly #tombstoneMs: number

  /** `tombstoneMs`: so long a removal stays on record, against writes that began before it and come late. */
  constructor(store: ObjectStore, kb: string, o: { tombstoneMs: number } = { tombstoneMs: 0 }) {
    this.#store = store
    this.#kb = kb
    this.#tombstoneMs = o.tombstoneMs
  }

  async get(id: string): Promise<StoredDocument | undefined> {
    const head = await newest<StoredDocument>(this.#store, documentPrefix(this.#kb, id))
    return head?.value.removed ? undefined : head?.value
  }

  /** What is now stored, and what stood there before. */
  async put(document: NewDocument): Promise<{ now: StoredDocument; before?: StoredDocument }> {
    const { chunks, ...rest } = document
    const begun = Date.now()
    const version = versionNow()
    await writeContent(this.#store, this.#kb, { version, chunks })
    const now: StoredDocument = {
      ...rest,
      chunks: chunks.length,
      added: new Date().toISOString(),
      version,
      digest: digestOf(document),
    }
    const before = await this.#append(now)
    // Frozen in between for long, somebody's sweep may have taken the content for an orphan.
    if (Date.now() - begun > LONGEST_WRITE_MS / 2)
      await writeContent(this.#store, this.#kb, { version, chunks })
    return { now, before: before?.removed ? undefined : before }
  }

  /** Undefined when there was none. */
  async remove(id: string): Promise<StoredDocument | undefined> {
    const there = await this.get(id)
    if (!there) return undefined
    await this.#append({ ...there, removed: true, removedAt: Date.now() })
    return there
  }

  /** What a newer version replaced. Comes after the index has the newer one. */
  async forget(id: string, before?: StoredDocument): Promise<void> {
    const prefix = documentPrefix(this.#kb, id)
    const head = await newest<StoredDocument>(this.#store, prefix)
    if (!head) return
    await purge(this.#store, prefix, head.n)
    if (before && before.version !== head.value.version)
      await dropContent(this.#store, this.#kb, before.version)
    if (!head.value.removed) return
    await dropContent(this.#store, this.#kb, head.value.version)
    if (Date.now() - (head.value.removedAt ?? 0) < this.#tombstoneMs) return
    // Not what somebody put there since.
    await purge(this.#store, prefix, head.n + 1)
  }

  async *all(after?: string): AsyncGenerator<StoredDocument> {
    const from = after === undefined ? undefined : afterDocument(this.#kb, after)
    for await (const { value } of heads<StoredDocument>(this.#store, documentsOf(this.#kb), from))
      if (!value.removed) yield value
  }

  /** A document with its chunks. One that is replaced while it is read is read again; undefined when it was removed. */
  async whole(document: StoredDocument): Promise<IndexedDocument | undefined> {
    let current: StoredDocument | undefined = document
    for (let tries = 0; current && tries < MOST_READS; tries++) {
      const chunks = await readContent(this.#store, this.#kb, current.version)
      if (chunks.length === current.chunks) return { ...current, chunks }
      current = await this.get(document.id)
    }
    if (current) throw new Error(`the content of document ${document.id} is not whole`)
    return undefined
  }

  /** Documents whose removal a crash cut short. */
  async unfinished(): Promise<string[]> {
    const ids: string[] = []
    for await (const { value } of heads<StoredDocument>(this.#store, documentsOf(this.#kb)))
      if (value.removed) ids.push(value.id)
    return ids
  }

  /** Drops content that no document names, unless it is so young that its document may still be on the way. */
  async dropOrphans(now = Date.now()): Promise<number> {
    const prefix = contentsOf(this.#kb)
    const orphans = new Set<string>()
    for await (const { name } of entries(this.#store, prefix, { values: false })) {
      const version = name.slice(prefix.length, name.indexOf('/', prefix.length))
      if (now - writtenAt(version) > LONGEST_WRITE_MS) orphans.add(version)
    }
    if (orphans.size === 0) return 0
    for await (const { value } of heads<StoredDocument>(this.#store, documentsOf(this.#kb)))
      orphans.delete(value.version)
    for (const version of orphans) await dropContent(this.#store, this.#kb, version)
    return orphans.size
  }

  async #append(value: StoredDocument): Promise<StoredDocument | undefined> {
    const prefix = documentPrefix(this.#kb, value.id)
    for (;;) {
      const head = await newest<StoredDocument>(this.#store, prefix)
      if (await createVersion(this.#store, prefix, (head?.n ?? 0) + 1, value)) return head?.value
    }
  }
}

/** Two puts with one digest are the same put. */
export const digestOf = (d: NewDocument) =>
  createHash('sha256')
    .update(JSON.stringify([d.title, d.type, d.sha256, d.bytes, d.embedding ?? null, d.chunks]))
    .digest('hex')
