import type { FastifyInstance } from 'fastify'
import { HOP } from '../../../contracts/hop.ts'

const OURS = [HOP.deadline, HOP.attempt, HOP.caller, HOP.writer, HOP.taskAttempt]

/** What services say to each other in headers means nothing when it comes from outside. */
export function forgetHopHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', (req, _reply, next) => {
    for (const header of OURS) if (header in req.headers) delete req.headers[header]
    next()
  })
}
