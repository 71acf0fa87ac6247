import type { TaskClass } from '../../contracts/tasks.ts'
import type { Bus } from '../bus/index.ts'
import type { Completed } from './fence.ts'
import type { Attempt } from './names.ts'

/** What goes over the bus about tasks: hints alone. Whoever misses one finds the same in the store a little later. */
export interface TaskEvents {
  /** A record lies under `name`, queued or waiting. */
  queued: { name: string }
  claimed: Attempt & { executor: string }
  /** An attempt ended; `tokens` and `ran` (ms) are what it took. */
  ended: Attempt & { outcome: string; final: boolean; tokens: number; ran?: number }
  progress: Attempt & { text: string }
  /** An attempt was ended from outside: whoever runs it should stop. */
  sealed: Attempt
}

export function tell<E extends keyof TaskEvents>(bus: Bus, event: E, id: string, body: TaskEvents[E]): void {
  bus.emit(`task.${event}.${id}`, body)
}

/** `id` absent: of every task. */
export function hear<E extends keyof TaskEvents>(
  bus: Bus,
  event: E,
  on: (body: TaskEvents[E]) => void,
  id = '*',
): Promise<() => Promise<void>> {
  return bus.listen(`task.${event}.${id}`, (_, body) => on(body as TaskEvents[E]))
}

/** Tells what complete() left behind. */
export function tellCompleted(bus: Bus, attempt: Attempt, done: Completed | { is: 'sealed' }): void {
  if (done.is !== 'final' && done.is !== 'again') return
  const { usage, outcome, ran } = done.end
  tell(bus, 'ended', attempt.id, {
    id: attempt.id,
    attempt: attempt.attempt,
    outcome,
    final: done.is === 'final',
    tokens: (usage?.promptTokens ?? 0) + (usage?.completionTokens ?? 0),
    ...(ran !== undefined && { ran }),
  })
  if (done.is === 'again') tell(bus, 'queued', attempt.id, { name: done.name })
}

export const readyQueue = (c: TaskClass) => `ready.${c}`

/** What a ready message holds: the name of the queued record, all else is read from the store. */
export interface ReadyMessage {
  name: string
}
