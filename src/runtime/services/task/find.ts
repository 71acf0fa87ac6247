import { PRIORITIES } from '../../../contracts/tasks.ts'
import type { Hop } from '../../hop.ts'
import type { Records } from '../../records.ts'
import { notFound } from '../../refusal.ts'
import { historyPrefix, runName } from '../../tasks/names.ts'
import { type HistoryRecord, parsed, type TaskRecord } from '../../tasks/records.ts'
import { listQueued } from './backlog.ts'

export type Found =
  | { is: 'ended'; history: HistoryRecord }
  | { is: 'open'; task: TaskRecord; state: 'waiting' | 'queued' | 'running' }

/** More attempts of one task than limits allow. */
const MAX_ATTEMPTS = 100

interface Search {
  records: Records
  user: string
  id: string
}

/** A task of this user's, wherever its records are; a name of another user is not found, for the user is part of every name. */
export async function find(s: Search, hop: Hop): Promise<Found | undefined> {
  // Each step of its life writes the new record before it deletes the old one, and looks go the same way; so a second round settles a race.
  for (let round = 0; round < 2; round++) {
    const found = (await ended(s, hop)) ?? (await queued(s, hop)) ?? (await waiting(s, hop))
    if (found) return found
  }
  return ended(s, hop)
}

export async function findOrRefuse(s: Search, hop: Hop): Promise<Found> {
  const found = await find(s, hop)
  if (!found) throw notFound(`task ${s.id} of yours`, '`llmagentos task list` shows your tasks.')
  return found
}

async function ended({ records, user, id }: Search, hop: Hop): Promise<Found | undefined> {
  const [found] = await records.list(historyPrefix(user, id), { limit: 1, values: true }, hop)
  return found?.value && { is: 'ended', history: parsed<HistoryRecord>(found.value) }
}

async function queued({ records, user, id }: Search, hop: Hop): Promise<Found | undefined> {
  const lists = await Promise.all(
    PRIORITIES.map((_, p) =>
      records.list(`q/${user}/${p}/${id}.`, { limit: MAX_ATTEMPTS, values: true }, hop),
    ),
  )
  const tasks = lists.flat().flatMap(f => (f.value ? [parsed<TaskRecord>(f.value)] : []))
  const task = tasks.sort((a, b) => b.attempt - a.attempt)[0]
  if (!task) return undefined
  const running = await records.get(runName(task), hop)
  return { is: 'open', task, state: running ? 'running' : 'queued' }
}

async function waiting({ records, user, id }: Search, hop: Hop): Promise<Found | undefined> {
  for await (const { name, place } of listQueued(records, 'w/', hop)) {
    if (place.user !== user || place.id !== id) continue
    const value = await records.get(name, hop)
    if (value) return { is: 'open', task: parsed<TaskRecord>(value), state: 'waiting' }
  }
  return undefined
}
