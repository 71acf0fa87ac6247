import type { FastifyInstance, FastifyRequest } from 'fastify'
import { HOP } from '../../../contracts/hop.ts'
import { badRequest, Refusal } from '../../refusal.ts'
import { endName, readAttempt } from '../../tasks/names.ts'
import type { ObjectStore } from './store/store.ts'

/** Refuses writes by an attempt of a task that has ended or was given away: its executor may not know yet, or have slept through it. */
export function refuseSealedAttempts(app: FastifyInstance, store: ObjectStore): void {
  app.addHook('preHandler', async req => {
    if (req.method !== 'GET') await requireUnsealed(store, req)
  })
}

/** For what takes long between its arrival and its write: throws 409 when the attempt that it names has ended. */
export async function requireUnsealed(store: ObjectStore, req: FastifyRequest): Promise<void> {
  const header = req.headers[HOP.taskAttempt]
  if (header === undefined) return
  const attempt = typeof header === 'string' ? readAttempt(header) : undefined
  if (!attempt) throw badRequest(`The header ${HOP.taskAttempt} names no attempt of a task.`)
  if (await store.get(endName(attempt)))
    throw new Refusal(409, 'sealed', `Attempt ${attempt.attempt} of task ${attempt.id} has ended.`, {
      next: 'Its writes are void; the task goes on, or has ended, elsewhere.',
    })
}
