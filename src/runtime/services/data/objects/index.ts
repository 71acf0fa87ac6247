import type { FastifyInstance } from 'fastify'
import type { DataConfig } from '../../../../contracts/config.ts'
import {
  getObject,
  listObjects,
  type ObjectInfo,
  putObject,
  removeObject,
} from '../../../../contracts/objects.ts'
import { codeOf } from '../../../../errors.ts'
import { badRequest, notFound, Refusal } from '../../../refusal.ts'
import { type Asked, handle } from '../../../server/handle.ts'
import { rangeOf } from '../../../server/range.ts'
import type { Deps } from '../../../service.ts'
import { Room } from '../room.ts'
import type { ObjectStore } from '../store/store.ts'
import { requireUnsealed } from '../task-fence.ts'
import { limited } from '../upload.ts'
import { type Content, openContent, smallContent } from './content.ts'
import { deliver } from './delivery.ts'
import { checkName } from './names.ts'
import type { OpenVersion, Version } from './record.ts'
import { otherContent, sentAs } from './repeat.ts'
import { ObjectSpace } from './space.ts'
import { exists } from './versions.ts'

const PAGE = 100
const MEDIA_TYPE = /^[\w!#$&^.+-]{1,100}\/[\w!#$&^.+-]{1,100}(;[ -~]{0,100})?$/

/** A user's own files. Whose they are is always what the verified token says. */
export function registerObjects(
  app: FastifyInstance,
  { verify }: Deps<DataConfig>,
  store: ObjectStore,
  room = new Room(undefined),
): void {
  handle(app, putObject, verify, async asked => {
    room.require()
    return shown(await put(store, asked))
  })

  handle(app, getObject, verify, async asked => {
    const name = asked.params['*']
    checkName(name)
    const version = await new ObjectSpace(store, asked.who.user).open(name, asked.query.version)
    try {
      await send(store, asked, version)
    } finally {
      version.content?.destroy()
    }
    return undefined
  })

  handle(app, listObjects, verify, async ({ query, who }) => {
    const { prefix, after, limit = PAGE } = query
    const { objects, more } = await new ObjectSpace(store, who.user).list({ prefix, after, limit })
    return { objects: objects.map(shown), ...(more && { next: objects.at(-1)!.name }) }
  })

  handle(app, removeObject, verify, async ({ params, who }) => {
    const name = params['*']
    checkName(name)
    return { removed: name, versions: await new ObjectSpace(store, who.user).remove(name) }
  })
}

async function put(
  store: ObjectStore,
  { params, query, upload, who, hop, req }: Asked<typeof putObject>,
): Promise<Version> {
  const name = params['*']
  checkName(name)
  const type = req.headers['content-type'] || 'application/octet-stream'
  if (!MEDIA_TYPE.test(type))
    throw badRequest('The content-type is no media type.', 'Send one like text/plain.')
  const space = new ObjectSpace(store, who.user)
  const replace = query.replace === true
  const sent = sentAs(req)
  const body = limited(upload, { limitBytes: putObject.upload.limitBytes, signal: hop.signal })
  const small = await smallContent(store, body)
  // What is small finds out by its create.
  if (!small && !replace) {
    const newest = await space.versions.newest(name)
    if (newest && !(await space.records.own(newest, sent))) throw exists(name)
  }
  const { bytes, sha256, ...content }: Stored = small ?? (await store.putBlob(body))
  try {
    if (query.sha256 && query.sha256 !== sha256) throw otherDigest(sha256)
    // The upload took its time, and so may we, frozen. Whoever asked has given up, or its task has gone to another.
    if (Date.now() >= hop.deadline) throw late()
    await requireUnsealed(store, req)
    const object = { name, bytes, sha256, type, created: new Date().toISOString(), sent, ...content }
    const version = await space.versions.add(object, { replace })
    if (version.sha256 !== sha256) throw otherContent()
    // It was stored the first time that it was sent.
    if (content.blob && version.blob !== content.blob) await store.deleteBlob(content.blob)
    return version
  } catch (thrown) {
    // Otherwise a record may name it; when none does, the sweep takes it.
    if (content.blob && isSurelyNotStored(thrown)) await store.deleteBlob(content.blob)
    throw thrown
  }
}

type Stored = Content & { bytes: number; sha256: string }

const isSurelyNotStored = (thrown: unknown) =>
  (thrown instanceof Refusal && thrown.status < 500) || codeOf(thrown) === 'ENOSPC'

async function send(store: ObjectStore, { hop, req, reply }: Asked<typeof getObject>, version: OpenVersion) {
  const range = reading(
    () => rangeOf(req.headers.range, version.bytes),
    () => reply.header('content-range', `bytes */${version.bytes}`),
  )
  const found = await openContent(store, version, range)
  // Its record went a moment ago, and its blob after it.
  if (!found) throw notFound(`object ${version.name}`)
  reply.hijack()
  reply.raw.writeHead(range ? 206 : 200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': version.type,
    'content-length': range ? range.to - range.from + 1 : version.bytes,
    ...(range && { 'content-range': `bytes ${range.from}-${range.to}/${version.bytes}` }),
    'accept-ranges': 'bytes',
    etag: `"${version.sha256}"`,
    'x-object-version': String(version.version),
    'x-content-type-options': 'nosniff',
  })
  // Too late for a refusal: whoever reads sees a body that is too short, and a broken connection.
  const o = {
    bytes: range ? range.to - range.from + 1 : version.bytes,
    whole: range ? undefined : version,
    signal: hop.signal,
  }
  await deliver(found, reply.raw, o).catch(() => reply.raw.destroy())
}

function reading<T>(act: () => T, onRefusal: () => void): T {
  try {
    return act()
  } catch (thrown) {
    onRefusal()
    throw thrown
  }
}

const late = () => new Refusal(504, 'deadline', 'The deadline of this upload has passed; nothing was stored.')

const otherDigest = (sha256: string) =>
  new Refusal(422, 'digest', `What arrived has another digest (sha256 ${sha256}); nothing was stored.`, {
    next: 'Send it again.',
  })

const shown = ({ blob: _, first: __, sent: ___, content: ____, ...info }: Version): ObjectInfo => info
