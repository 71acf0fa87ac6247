import { createHash } from 'node:crypto'
import type { Principal } from '../../../contracts/identity.ts'
import type { SubmitTask, Task, Understood } from '../../../contracts/tasks.ts'
import type { Hop } from '../../hop.ts'
import { badRequest, Refusal } from '../../refusal.ts'
import { tell } from '../../tasks/events.ts'
import { newId } from '../../tasks/ids.ts'
import { idemName, queuedName } from '../../tasks/names.ts'
import { openTask, parsed, type TaskRecord } from '../../tasks/records.ts'
import type { Dispatcher } from './dispatcher.ts'
import { type Found, find, findOrRefuse } from './find.ts'
import type { Parts } from './parts.ts'
import { taskOf } from './show.ts'
import { understand } from './understand.ts'

const MAX_KEY_CHARS = 255

interface Asked extends Parts {
  dispatcher: Dispatcher
  who: Principal
}
interface IdemRecord {
  id: string
  digest: string
}

/** Accepts a task: what it returns is stored. With an idempotency key a repeat gives the same task, another body under that key a 409. */
export async function submitTask(
  o: Asked & {
    body: SubmitTask
    key?: string
    byModel(text: string): Promise<Pick<Understood, 'kind' | 'params'> | undefined>
  },
  hop: Hop,
): Promise<{ task?: Task; understood: Understood }> {
  const { body, who } = o
  if (o.key !== undefined && (o.key.length === 0 || o.key.length > MAX_KEY_CHARS))
    throw badRequest(`An idempotency key has 1 to ${MAX_KEY_CHARS} characters.`)
  if (body.model && who.models && !who.models.includes(body.model))
    throw new Refusal(403, 'model', `Your key may not use the model ${body.model}.`)
  if (body.dryRun) return { understood: await understand(o) }
  const id = o.key === undefined ? newId() : await claimKey(o, o.key, hop)
  const before = o.key === undefined ? undefined : await find({ ...o, user: who.user, id }, hop)
  if (before) return told(before, o.dispatcher)
  const understood = await understand(o)
  const now = Date.now()
  const record = firstAttempt({
    id,
    who,
    ...understood,
    priority: body.priority ?? 'normal',
    submitted: now,
    ...(body.model && { model: body.model }),
    ...(body.expiresInSeconds && { expires: now + body.expiresInSeconds * 1000 }),
  })
  if ((await store(o, record, hop)) === 'exists') {
    // Another submit under this key was faster, and the model may have read the same words otherwise.
    const other = await find({ ...o, user: who.user, id }, hop)
    if (other) return told(other, o.dispatcher)
  }
  return { task: openTask(record, 'queued'), understood }
}

/** Submits what an ended task was, under a new id. */
export async function retryTask(o: Asked & { id: string }, hop: Hop): Promise<{ task: Task }> {
  const found = await findOrRefuse({ ...o, user: o.who.user }, hop)
  if (found.is === 'open')
    throw new Refusal(409, 'open', `Task ${o.id} has not ended.`, {
      next: 'Follow it with `llmagentos task watch`, or cancel it first.',
    })
  const { kind, params, says, by, priority, model } = found.history.request
  const record = firstAttempt({
    id: newId(),
    who: o.who,
    ...{ kind, params, says, by, priority, submitted: Date.now(), retryOf: o.id },
    ...(model && { model }),
  })
  await store(o, record, hop)
  return { task: openTask(record, 'queued') }
}

async function store(o: Asked, record: TaskRecord, hop: Hop): Promise<'created' | 'exists'> {
  const name = queuedName(record)
  const stored = await o.records.create(name, record, hop)
  tell(o.bus, 'queued', record.id, { name })
  return stored
}

function told(found: Found, dispatcher: Dispatcher): { task: Task; understood: Understood } {
  const { kind, params, by, says } = found.is === 'ended' ? found.history.request : found.task
  return { task: taskOf(found, dispatcher), understood: { kind, params, by, says } }
}

function firstAttempt(
  o: Omit<TaskRecord, 'attempt' | 'user' | 'key' | 'scopes' | 'tries'> & { who: Principal },
): TaskRecord {
  const { who, ...rest } = o
  return {
    ...rest,
    attempt: 1,
    user: who.user,
    key: who.key,
    scopes: who.scopes,
    tries: { crashed: 0, errors: 0, lost: 0 },
  }
}

/** The id that this key stands for, from now on or since before. */
async function claimKey(o: Asked & { body: SubmitTask }, key: string, hop: Hop): Promise<string> {
  const name = idemName(o.who.user, key)
  const digest = createHash('sha256').update(canonical(o.body)).digest('hex')
  const fresh: IdemRecord = { id: newId(), digest }
  if ((await o.records.create(name, fresh, hop)) === 'created') return fresh.id
  const bytes = await o.records.get(name, hop)
  if (!bytes)
    throw new Refusal(503, 'busy', 'The idempotency key was just removed.', { retryAfterSeconds: 1 })
  const stored = parsed<IdemRecord>(bytes)
  if (stored.digest !== digest)
    throw new Refusal(409, 'idempotency', 'This idempotency key was used for another task.', {
      next: 'Take a new key for a new task.',
    })
  return stored.id
}

/** The same text for the same JSON, whatever the order of its fields. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  const fields = Object.entries(value).filter(([, v]) => v !== undefined)
  return `{${fields
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([k, v]) => `${JSON.stringify(k)}:${canonical(v)}`)
    .join()}}`
}
