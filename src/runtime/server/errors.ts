import type { FastifyError } from 'fastify'
import { KB_NAME, SESSION_ID } from '../../contracts/ask.ts'
import { KEY_ID, KEY_NAME } from '../../contracts/auth.ts'
import { USER_NAME } from '../../contracts/identity.ts'
import { TASK_ID } from '../../contracts/tasks.ts'
import { reasonOf } from '../../errors.ts'
import { badRequest, Refusal } from '../refusal.ts'

/** Turns anything thrown while a request was handled into the status and words that its caller gets. Never 5xx for the caller's mistake. */
export function asRefusal(thrown: unknown): Refusal {
  if (thrown instanceof Refusal) return thrown
  const e = thrown as FastifyError
  if (e.validation) {
    const first = e.validation[0]
    const where = `${e.validationContext ?? 'body'}${first?.instancePath ?? ''}`
    const extra =
      first?.params && 'additionalProperty' in first.params ? ` (${first.params.additionalProperty})` : ''
    return badRequest(`${where} ${words(first)}${extra}.`, 'See /api/v1/openapi.json for what it takes.')
  }
  switch (e.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return tooLargeBody()
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new Refusal(415, 'media_type', 'The body must be application/json.')
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
      return badRequest(
        'The body is not valid JSON, or it names a field `__proto__`.',
        'Check its quotes, commas and brackets.',
      )
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
      return badRequest('The body is empty.', 'Send a JSON document.')
    case 'ENOSPC':
    case 'EDQUOT':
      return new Refusal(507, 'disk_full', 'The disk is full; nothing was stored.', {
        next: 'Free some room on the machine, then try again.',
      })
  }
  if (typeof e.statusCode === 'number' && e.statusCode >= 400 && e.statusCode < 500)
    return new Refusal(e.statusCode, 'bad_request', e.message)
  return new Refusal(500, 'internal', `Something failed inside: ${reasonOf(thrown)}.`, {
    next: 'The log of the service says more, under this request id.',
  })
}

export const tooLargeBody = () =>
  new Refusal(413, 'too_large', 'The body is larger than this route takes.', {
    next: 'Store large content with `data put` or `kb add`.',
  })

type Violation = NonNullable<FastifyError['validation']>[number]

/** People see this too, who typed a name that the schema does not take. */
function words(violation: Violation | undefined): string {
  const { keyword, params, message = 'is not valid' } = violation ?? {}
  if (keyword === 'pattern') return PATTERNS.get(String(params?.['pattern'])) ?? message
  if (keyword === 'minLength' && params?.['limit'] === 1) return 'must not be empty'
  return message
}

const PATTERNS = new Map([
  [KB_NAME, 'must be 1 to 40 small letters, digits and `-`, a letter or digit first'],
  [SESSION_ID, 'must be 1 to 64 letters, digits, `.`, `_` and `-`, a letter or digit first'],
  [USER_NAME, 'must be 1 to 63 small letters, digits, `.`, `_` and `-`, a letter first'],
  [TASK_ID, 'must be the id of a task, as `llmagentos task list` shows it'],
  [KEY_NAME, 'must be without control characters'],
  [KEY_ID, 'must be the id of a key, as `llmagentos key list` shows it'],
])
