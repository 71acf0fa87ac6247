import type { FastifyInstance } from 'fastify'
import type { Refusal } from '../../../refusal.ts'
import { asRefusal } from '../../../server/errors.ts'

/** Errors in OpenAI's shape: its clients read `error.message`, `type` and `code`, and retry by status. */
export function openAiErrors(app: FastifyInstance): void {
  app.setErrorHandler((thrown, _req, reply) => {
    const refusal = asRefusal(thrown)
    if (refusal.retryAfterSeconds !== undefined)
      reply.header('retry-after', String(refusal.retryAfterSeconds))
    return reply.code(refusal.status).send(openAiError(refusal))
  })
}

export function openAiError(refusal: Refusal): object {
  const message = refusal.next ? `${refusal.message} ${refusal.next}` : refusal.message
  return { error: { message, type: typeOf(refusal.status), param: null, code: codeOf(refusal) } }
}

function typeOf(status: number): string {
  if (status === 401) return 'authentication_error'
  if (status === 403) return 'permission_error'
  if (status === 429) return 'rate_limit_error'
  return status >= 500 ? 'server_error' : 'invalid_request_error'
}

const codeOf = (refusal: Refusal) =>
  ({ no_model: 'model_not_found', no_key: 'invalid_api_key', malformed_key: 'invalid_api_key' })[
    refusal.code
  ] ?? refusal.code
