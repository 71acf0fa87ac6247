import { FINAL, type Task, type TaskState } from '../../../contracts/tasks.ts'
import type { Hop } from '../../hop.ts'
import type { Records } from '../../records.ts'
import { inverted } from '../../tasks/ids.ts'
import { attemptText, readHistory } from '../../tasks/names.ts'
import { endedTask, type HistoryRecord, openTask, parsed, type TaskRecord } from '../../tasks/records.ts'
import { listQueued, listRunning } from './backlog.ts'

interface Query {
  records: Records
  user: string
  state?: TaskState
  kind?: string
  /** The last id of the page before. */
  after?: string
  limit: number
}

const PAGE = 100

/** A user's tasks, newest first: what has ended merged with what has not. `next` is the `after` of the next page. */
export async function listTasks(q: Query, hop: Hop): Promise<{ tasks: Task[]; next?: string }> {
  // Open ones are read first: one that ends meanwhile is then in both, never in neither.
  const open = await openOnes(q, hop)
  const tasks: Task[] = []
  for await (const task of newestFirst(open, endedOnes(q, hop))) {
    if ((q.state && task.state !== q.state) || (q.kind && task.kind !== q.kind)) continue
    if (tasks.length === q.limit) return { tasks, next: tasks.at(-1)!.id }
    tasks.push(task)
  }
  return { tasks }
}

interface Open {
  id: string
  task(): Promise<Task | undefined>
}

async function openOnes(q: Query, hop: Hop): Promise<Open[]> {
  if (FINAL.some(f => f === q.state)) return []
  const running = new Set((await listRunning(q.records, hop)).map(attemptText))
  const newest = new Map<string, { attempt: number; open: Open }>()
  for (const prefix of ['w/', `q/${q.user}/`])
    for await (const { name, place } of listQueued(q.records, prefix, hop)) {
      const { id, attempt } = place
      if (place.user !== q.user || (q.after && id >= q.after)) continue
      if ((newest.get(id)?.attempt ?? 0) > attempt) continue
      const state = running.has(attemptText(place)) ? 'running' : prefix === 'w/' ? 'waiting' : 'queued'
      const task = async () => {
        const value = await q.records.get(name, hop)
        return value && openTask(parsed<TaskRecord>(value), state)
      }
      newest.set(id, { attempt, open: { id, task } })
    }
  return [...newest.values()].map(n => n.open).sort((a, b) => (a.id < b.id ? 1 : -1))
}

async function* endedOnes(q: Query, hop: Hop): AsyncGenerator<Task> {
  if (q.state && !FINAL.some(f => f === q.state)) return
  const prefix = `h/${q.user}/`
  // A tilde is behind every state in byte order.
  let after = q.after && `${prefix}${inverted(q.after)}.~`
  for (;;) {
    const page = await q.records.list(prefix, { after, limit: PAGE, values: true }, hop)
    for (const { name, value } of page) {
      const { outcome } = readHistory(name) ?? {}
      if (!value || !outcome || (q.state && q.state !== outcome)) continue
      yield endedTask(parsed<HistoryRecord>(value))
    }
    if (page.length < PAGE) return
    after = page.at(-1)!.name
  }
}

async function* newestFirst(open: Open[], ended: AsyncGenerator<Task>): AsyncGenerator<Task> {
  let step = await ended.next()
  for (const o of open) {
    while (!step.done && step.value.id > o.id) {
      yield step.value
      step = await ended.next()
    }
    // In both: it has ended, and its open records are just being deleted.
    if (!step.done && step.value.id === o.id) continue
    const task = await o.task()
    if (task) yield task
  }
  while (!step.done) {
    yield step.value
    step = await ended.next()
  }
}
