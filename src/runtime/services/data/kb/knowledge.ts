import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Passage } from '../../../../contracts/ask.ts'
import type { KbInfo } from '../../../../contracts/kb.ts'
import type { Log } from '../../../../log.ts'
import { fuse } from '../index/fuse.ts'
import { rescore } from '../index/rescore.ts'
import type { Embedding } from '../index/rows.ts'
import type { Hit } from '../index/table.ts'
import { queryText } from '../index/words.ts'
import type { ObjectStore } from '../store/store.ts'
import { Catalogue, type Kb, type Who } from './catalogue.ts'
import { Changes } from './changes.ts'
import { Documents } from './documents.ts'
import { kbPrefix } from './names.ts'
import { Others } from './others.ts'
import { purge } from './records.ts'
import { Shelf } from './shelf.ts'

/** Each list of candidates holds so many more than were asked for, so that the fusion has something to choose from. */
const CANDIDATES = 4
const LEAST_CANDIDATES = 40

/** Longer than a write may be under way, in a frozen instance or gateway. */
const TOMBSTONE_MS = 3_600_000

type Found = Hit & { kb: string }

/** All knowledge bases of the data service. */
export class Knowledge {
  readonly catalogue: Catalogue
  readonly #store: ObjectStore
  readonly #folder: string
  readonly #log: Log
  readonly #shared: boolean
  readonly #shelves = new Map<string, Shelf>()

  /** `shared`: other instances write to the same store. */
  constructor(o: { store: ObjectStore; folder: string; log: Log; shared: boolean }) {
    this.#shared = o.shared
    this.#store = o.store
    this.#folder = o.folder
    this.#log = o.log
    this.catalogue = new Catalogue(o.store)
  }

  shelf(kb: Kb): Shelf {
    const known = this.#shelves.get(kb.id)
    if (known) return known
    const tombstoneMs = this.#shared ? TOMBSTONE_MS : 0
    const documents = new Documents(this.#store, kb.id, { tombstoneMs })
    const others = this.#shared ? new Others(new Changes(this.#store, kb.id)) : undefined
    const shelf = new Shelf({ kb, documents, folder: join(this.#folder, kb.id), log: this.#log, others })
    this.#shelves.set(kb.id, shelf)
    return shelf
  }

  /** Those that were named, or all that `who` may read. */
  async chosen(who: Who, names: string[] | undefined): Promise<Shelf[]> {
    const kbs = names
      ? await Promise.all([...new Set(names)].map(name => this.catalogue.find(who, name)))
      : await this.catalogue.readable(who)
    return kbs.map(kb => this.shelf(kb))
  }

  infos(shelves: Shelf[]): Promise<KbInfo[]> {
    return Promise.all(shelves.map(s => s.info()))
  }

  /** One entry for each embedding identity of each knowledge base, so that the asker can make a vector for each. */
  async tables(shelves: Shelf[]): Promise<KbInfo[]> {
    const all = await Promise.all(
      shelves.map(async shelf => {
        const { embedding: _, ...info } = await shelf.info()
        const embeddings = await shelf.embeddings()
        if (embeddings.length === 0) return [info]
        return embeddings.map(embedding => ({ ...info, ...(embedding && { embedding }) }))
      }),
    )
    return all.flat()
  }

  async rank(o: {
    shelves: Shelf[]
    query: string
    limit: number
    vectors: Record<string, number[]>
  }): Promise<{ passages: Passage[]; ranking: 'text' | 'hybrid' }> {
    const limit = Math.max(LEAST_CANDIDATES, o.limit * CANDIDATES)
    const words = queryText(o.query)
    const found = await Promise.all(o.shelves.map(async s => named(s, await s.byWords(words, limit))))
    const several = found.filter(hits => hits.length > 0).length > 1
    const byWords = best(several ? [rescore(found.flat(), words)] : found)
    const byVectors = await Promise.all(
      Object.entries(o.vectors).map(([digest, vector]) => nearest({ ...o, digest, vector, limit })),
    )
    const lists = byVectors.filter(list => list.length > 0)
    const ranked = lists.length > 0 ? fuse([byWords, ...lists]) : byWords
    return {
      passages: ranked.slice(0, o.limit).map(passageOf),
      ranking: lists.length > 0 ? 'hybrid' : 'text',
    }
  }

  /** Gone for readers at once; the records and the index follow. */
  async remove(kb: Kb): Promise<number> {
    const shelf = this.shelf(kb)
    const { documents } = await shelf.info()
    await this.catalogue.remove(kb)
    await this.#clear(kb.id)
    return documents
  }

  /** Finishes what a crash cut short. */
  async sweep(): Promise<void> {
    for await (const kb of this.catalogue.everything()) {
      if (!kb.removed) await this.shelf(kb).sweep()
      else await this.#clear(kb.id)
    }
  }

  /** Lets go of the index of what another instance removed. */
  async dropRemoved(): Promise<void> {
    // Before the catalogue: what is made meanwhile is in it.
    const here = await readdir(this.#folder).catch(() => [])
    const ids = new Set([...here, ...this.#shelves.keys()])
    for await (const kb of this.catalogue.everything()) if (!kb.removed) ids.delete(kb.id)
    for (const id of ids) await this.#dropIndex(id)
  }

  notes(): string[] {
    return [...this.#shelves.values()].flatMap(s => s.note() ?? [])
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#shelves.values()].map(s => s.stop()))
  }

  async #clear(id: string): Promise<void> {
    await this.#shelves.get(id)?.drop()
    await purge(this.#store, kbPrefix(id))
    await this.#dropIndex(id)
  }

  async #dropIndex(id: string): Promise<void> {
    await this.#shelves.get(id)?.drop()
    this.#shelves.delete(id)
    await rm(join(this.#folder, id), { recursive: true, force: true })
  }
}

async function nearest(o: {
  shelves: Shelf[]
  digest: string
  vector: number[]
  limit: number
}): Promise<Found[]> {
  const lists = o.shelves.map(async shelf => {
    const fits = (e: Embedding | undefined): e is Embedding =>
      e?.digest === o.digest && e.dims === o.vector.length
    const embedding = (await shelf.embeddings()).find(fits)
    return embedding ? named(shelf, await shelf.byVector(o.vector, o.limit, embedding)) : []
  })
  return best(await Promise.all(lists))
}

const named = (shelf: Shelf, hits: Hit[]): Found[] => hits.map(h => ({ ...h, kb: shelf.kb.name }))

const best = (lists: Found[][]) => lists.flat().sort((a, b) => b.weight - a.weight)

function passageOf(hit: Found): Passage {
  return {
    kb: hit.kb,
    document: hit.doc,
    title: hit.title,
    position: {
      ...(hit.line !== null && { line: hit.line }),
      ...(hit.page !== null && { page: hit.page }),
      ...(hit.heading !== null && { heading: hit.heading }),
    },
    text: hit.text,
    score: hit.weight,
  }
}
