import { randomUUID } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import type { FastifyInstance } from 'fastify'
import type { DataConfig } from '../../../contracts/config.ts'
import { HOP } from '../../../contracts/hop.ts'
import type { ServiceName } from '../../../contracts/identity.ts'
import {
  createRecord,
  deleteRecord,
  getRecord,
  listRecords,
  PREFIX_OWNERS,
} from '../../../contracts/store.ts'
import { notFound, Refusal } from '../../refusal.ts'
import { handle } from '../../server/handle.ts'
import type { Deps } from '../../service.ts'
import { Room } from './room.ts'
import { MAX_RECORD_BYTES, type ObjectStore } from './store/store.ts'
import { limited } from './upload.ts'

/** Values of one LIST page; larger pages are cut and say `more`. */
const PAGE_BYTES = 4 * 1024 * 1024
const PAGE_RECORDS = 1000
/** Records with which something begins. What runs may end, and what is revoked must be, on a full store too. */
const BEGINNINGS = /^(idem\/|[qw]\/.+\.1$)/

/** The records of the other services, each within its own prefixes. */
export function registerRecords(
  app: FastifyInstance,
  { verify }: Deps<DataConfig>,
  store: ObjectStore,
  room = new Room(undefined),
): void {
  handle(app, createRecord, verify, async ({ params, upload, hop, req, reply }) => {
    const name = owned(params['*'], hop.caller)
    if (BEGINNINGS.test(name)) room.require()
    const record = await buffer(limited(upload, { limitBytes: MAX_RECORD_BYTES, signal: hop.signal }))
    // We may have been frozen for long, and whoever asked has given up and done something else.
    if (Date.now() >= hop.deadline) throw late()
    const end = await store.create(name, record, String(req.headers[HOP.writer] ?? randomUUID()))
    if (end.created) return { writer: end.writer }
    await reply.code(412).send({ writer: end.writer })
    return undefined
  })

  handle(app, getRecord, verify, async ({ params, hop, reply }) => {
    const name = owned(params['*'], hop.caller)
    const record = await store.get(name)
    if (!record) throw notFound(`record ${name}`)
    await reply.header('content-type', 'application/octet-stream').send(record)
    return undefined
  })

  handle(app, deleteRecord, verify, async ({ params, hop }) => {
    await store.delete(owned(params['*'], hop.caller))
    return {}
  })

  handle(app, listRecords, verify, async ({ query, hop }) => {
    const { prefix, after, limit = PAGE_RECORDS, values } = query
    owned(prefix, hop.caller)
    if (!values)
      return { records: (await store.list(prefix, { after, limit })).map(({ name }) => ({ name })) }
    const { records, more } = await withValues(store, { prefix, after, limit })
    return {
      records: records.map(r => ({ name: r.name, value: r.value!.toString('base64') })),
      ...(more && { more }),
    }
  })
}

const late = () => new Refusal(504, 'deadline', 'The deadline of this write has passed; nothing was stored.')

/** Denies by default: a name outside the known prefixes belongs to nobody. */
function owned(name: string, caller: ServiceName | undefined): string {
  const prefix = Object.keys(PREFIX_OWNERS).find(p => name.startsWith(p))
  if (prefix && caller && PREFIX_OWNERS[prefix]!.includes(caller)) return name
  throw new Refusal(
    403,
    'prefix',
    `${caller ?? 'Whoever calls'} may not touch records under ${prefix ?? name}.`,
  )
}

/** In steps that fit what is left of the page, by the size of the records seen so far. */
async function withValues(
  store: ObjectStore,
  o: { prefix: string; after?: string; limit: number },
): Promise<{ records: { name: string; value?: Buffer }[]; more: boolean }> {
  const records: { name: string; value?: Buffer }[] = []
  let bytes = 0
  let step = 8
  while (records.length < o.limit) {
    const limit = Math.min(step, o.limit - records.length)
    const after = records.at(-1)?.name ?? o.after
    const page = await store.list(o.prefix, { after, limit, values: true })
    for (const r of page) bytes += r.value!.length
    records.push(...page)
    if (page.length < limit) return { records, more: false }
    if (bytes >= PAGE_BYTES) return { records, more: records.length < o.limit }
    step = Math.min(
      PAGE_RECORDS,
      Math.max(1, Math.floor((PAGE_BYTES - bytes) / (bytes / records.length + 1))),
    )
  }
  return { records, more: false }
}
