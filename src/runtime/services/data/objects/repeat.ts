import { hash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { REPEAT_KEY } from '../../../../contracts/hop.ts'
import { badRequest, Refusal } from '../../../refusal.ts'

const MOST_CHARS = 200

/** What a request is known by that may be sent again, of one length; undefined where its caller does not say. */
export function sentAs(req: FastifyRequest): string | undefined {
  const key = req.headers[REPEAT_KEY]
  if (key === undefined) return undefined
  if (typeof key === 'string' && key.length > 0 && key.length <= MOST_CHARS)
    return hash('sha256', key, 'hex').slice(0, 32)
  throw badRequest(`An idempotency key has 1 to ${MOST_CHARS} characters.`)
}

export const otherContent = () =>
  new Refusal(409, 'idempotency', 'This idempotency key was used for other content.', {
    next: 'Use another key, or none.',
  })
