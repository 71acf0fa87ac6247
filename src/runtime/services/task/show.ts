import type { Task, TaskDetail } from '../../../contracts/tasks.ts'
import type { Hop } from '../../hop.ts'
import type { Records } from '../../records.ts'
import { endPrefix } from '../../tasks/names.ts'
import { type EndRecord, endedTask, isFinal, openTask, parsed } from '../../tasks/records.ts'
import type { Dispatcher } from './dispatcher.ts'
import { type Found, findOrRefuse } from './find.ts'

const MAX_ATTEMPTS = 100

interface Asked {
  records: Records
  dispatcher: Dispatcher
  user: string
  id: string
}

/** One task as lists say it, with its place in the fair order while it waits. */
export function taskOf(found: Found, dispatcher: Dispatcher): Task {
  if (found.is === 'ended') return endedTask(found.history)
  return {
    ...openTask(found.task, found.state),
    ...(found.state === 'queued' && dispatcher.place(found.task)),
  }
}

export async function showTask(o: Asked, hop: Hop): Promise<TaskDetail> {
  const found = await findOrRefuse(o, hop)
  const ends = await o.records.list(endPrefix(o.id), { limit: MAX_ATTEMPTS, values: true }, hop)
  const attempts = ends
    .map(({ name, value }) => ({
      attempt: Number(name.slice(endPrefix(o.id).length)),
      end: parsed<EndRecord>(value!),
    }))
    .sort((a, b) => a.attempt - b.attempt)
  const result = attempts.find(a => isFinal(a.end.outcome))?.end.result
  const request = found.is === 'ended' ? found.history.request : found.task
  return {
    ...taskOf(found, o.dispatcher),
    params: request.params,
    ...(found.is === 'ended' && result !== undefined && { result }),
    attempts: attempts.map(({ attempt, end }) => ({
      attempt,
      outcome: end.outcome,
      ...(end.reason !== undefined && { reason: end.reason }),
      at: new Date(end.at).toISOString(),
    })),
  }
}
