import type { Task } from '../../../contracts/tasks.ts'
import type { Hop } from '../../hop.ts'
import { Refusal } from '../../refusal.ts'
import { tell, tellCompleted } from '../../tasks/events.ts'
import { endedTask } from '../../tasks/records.ts'
import { findOrRefuse } from './find.ts'
import { OURSELVES, type Parts } from './parts.ts'

/** A task has fewer attempts, and each round ends one or finds one ended. */
const ROUNDS = 30

/** Ends a task as cancelled, wherever it is. A task cancelled before is said to be so; one that ended otherwise is a 409. */
export async function cancelTask(o: Parts & { user: string; id: string }, hop: Hop): Promise<Task> {
  for (let round = 0; round < ROUNDS; round++) {
    const found = await findOrRefuse(o, hop)
    if (found.is === 'ended') {
      const { outcome } = found.history.end
      if (outcome === 'cancelled') return endedTask(found.history)
      throw new Refusal(409, 'ended', `Task ${o.id} has ended: ${outcome}. A final end is for ever.`, {
        next: 'Submit it again with `llmagentos task retry`.',
      })
    }
    const { task, state } = found
    const end = { outcome: 'cancelled', at: Date.now(), reason: 'cancelled by its user' } as const
    const done = await o.fence.stop(task, { by: OURSELVES, waiting: state === 'waiting', end }, hop)
    if (done.is === 'sealed') continue
    tell(o.bus, 'sealed', task.id, { id: task.id, attempt: task.attempt })
    tellCompleted(o.bus, task, done)
  }
  throw new Refusal(503, 'busy', `Task ${o.id} changed too fast to be cancelled.`, { retryAfterSeconds: 1 })
}
