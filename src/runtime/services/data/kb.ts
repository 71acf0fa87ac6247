import type { FastifyInstance } from 'fastify'
import type { DataConfig } from '../../../contracts/config.ts'
import {
  kbTables,
  keepDocuments,
  listDocuments,
  listKbs,
  putDocument,
  rankKb,
  removeDocument,
  removeKb,
} from '../../../contracts/kb.ts'
import { notFound, Refusal } from '../../refusal.ts'
import { handle } from '../../server/handle.ts'
import { offer } from '../../server/offer.ts'
import type { Deps } from '../../service.ts'
import { fallsToUs } from './daily.ts'
import type { Who } from './kb/catalogue.ts'
import { checkDocument } from './kb/check.ts'
import type { StoredDocument } from './kb/documents.ts'
import { Knowledge } from './kb/knowledge.ts'
import type { Room } from './room.ts'
import type { ObjectStore } from './store/store.ts'

const SWEEP_EVERY_MS = 6 * 60 * 60_000

/** The knowledge routes of the data service. What a crash left unfinished is finished in the background. */
export async function registerKb(
  app: FastifyInstance,
  deps: Deps<DataConfig>,
  store: ObjectStore,
  room: Room,
): Promise<{ stop(): Promise<void>; notes(): string[] }> {
  const { verify, log } = deps
  const shared = !('embedded' in deps.config.store)
  const knowledge = new Knowledge({ store, folder: deps.config.indexFolder, log, shared })
  const { catalogue } = knowledge

  handle(app, putDocument, verify, async ({ params, body, who }) => {
    needs(who, 'kb:write')
    const { shared, ...document } = body
    checkDocument(document)
    room.require()
    const kb = await catalogue.open(who, params.kb, { shared })
    return knowledge.shelf(kb).put(document)
  })

  handle(app, keepDocuments, verify, async ({ params, body, who }) => {
    needs(who, 'kb:write')
    const shelf = knowledge.shelf(await catalogue.findWritable(who, params.kb))
    const keep = new Set(body.ids)
    const gone: string[] = []
    for await (const { id } of shelf.documents()) if (!keep.has(id)) gone.push(id)
    await Promise.all(gone.map(id => shelf.remove(id)))
    return { removed: gone }
  })

  offer(app, kbTables, verify, async ({ body, who }) => {
    needs(who, 'kb:read')
    return { kbs: await knowledge.tables(await knowledge.chosen(who, body.kb)) }
  })

  offer(app, rankKb, verify, async ({ body, who }) => {
    needs(who, 'kb:read')
    const shelves = await knowledge.chosen(who, body.kb)
    return knowledge.rank({ shelves, query: body.query, limit: body.limit, vectors: body.vectors ?? {} })
  })

  handle(app, listKbs, verify, async ({ who }) => ({
    kbs: await knowledge.infos(await knowledge.chosen(who, undefined)),
  }))

  handle(app, listDocuments, verify, async ({ params, query, who }) => {
    const shelf = knowledge.shelf(await catalogue.find(who, params.kb))
    const limit = query.limit ?? 100
    const documents: StoredDocument[] = []
    for await (const document of shelf.documents(query.after)) {
      documents.push(document)
      if (documents.length > limit) break
    }
    const page = documents.slice(0, limit)
    return {
      documents: page.map(shown),
      ...(documents.length > limit && { next: page.at(-1)!.id }),
    }
  })

  handle(app, removeDocument, verify, async ({ params, who }) => {
    const shelf = knowledge.shelf(await catalogue.findWritable(who, params.kb))
    const chunks = await shelf.remove(params['*'])
    if (chunks === undefined)
      throw notFound(
        `document ${params['*']} in the knowledge base ${params.kb}`,
        `See them with \`llmagentos kb list ${params.kb}\`.`,
      )
    return { removed: params['*'], chunks }
  })

  handle(app, removeKb, verify, async ({ params, who }) => {
    const kb = await catalogue.findWritable(who, params.kb)
    return { removed: kb.name, documents: await knowledge.remove(kb) }
  })

  // Of several instances one does it, once a day.
  const sweep = async () => {
    if (shared) await knowledge.dropRemoved()
    if (!shared || (await fallsToUs(store, 'knowledge'))) await knowledge.sweep()
  }
  const once = () =>
    sweep().catch(thrown =>
      log.warn({ err: thrown }, 'could not finish what an earlier run left in the knowledge'),
    )
  let swept = once()
  const timer = setInterval(() => {
    if (shared) swept = swept.then(once)
  }, SWEEP_EVERY_MS)
  timer.unref()

  return {
    async stop() {
      clearInterval(timer)
      await swept
      await knowledge.stop()
    },
    notes: () => knowledge.notes(),
  }
}

/** For internal routes, whose scope is not checked before: a service that acts for a user may no more than the user. */
function needs(who: Who, scope: 'kb:read' | 'kb:write'): void {
  if (!who || who.scopes.includes(scope)) return
  throw new Refusal(403, 'scope', `This needs the scope ${scope}, which the key does not have.`, {
    next: 'Ask an admin for a key with it: `llmagentos key create --scope`.',
  })
}

const shown = ({ id, title, type, sha256, bytes, chunks, added }: StoredDocument) => ({
  id,
  title,
  type,
  sha256,
  bytes,
  chunks,
  added,
})
