import type { ApiError } from '../contracts/errors.ts'

/** A request that is refused or failed in a foreseen way: becomes an HTTP status and the API's error body. */
export class Refusal extends Error {
  readonly status: number
  readonly code: string
  readonly next?: string
  readonly retryAfterSeconds?: number
  /** This instance could not even begin; another one may be asked. */
  readonly nothingBegun?: boolean

  constructor(
    status: number,
    code: string,
    message: string,
    o: { next?: string; retryAfterSeconds?: number; nothingBegun?: boolean; cause?: unknown } = {},
  ) {
    super(plain(message), { cause: o.cause })
    this.name = 'Refusal'
    this.status = status
    this.code = code
    this.next = o.next && plain(o.next)
    this.retryAfterSeconds = o.retryAfterSeconds
    this.nothingBegun = o.nothingBegun
  }

  /** The last frame of a stream of lines. */
  frame(requestId?: string): { type: 'error' } & ApiError {
    const { error } = this.body(requestId)
    return { type: 'error', error: { ...error, status: this.status } }
  }

  body(requestId?: string): ApiError {
    return {
      error: {
        code: this.code,
        message: this.message,
        ...(this.next && { next: this.next }),
        ...(requestId && { requestId }),
      },
    }
  }
}

/** The refusal that an error frame holds. */
export const refusalIn = ({ error }: ApiError): Refusal =>
  new Refusal(error.status ?? 502, error.code, error.message, { next: error.next })

/** What another service refused with, as it said it. */
export function refusalFrom(status: number, text: string, retryAfter?: string): Refusal {
  const seconds = retryAfter ? Number(retryAfter) : undefined
  try {
    const { error } = JSON.parse(text) as ApiError
    return new Refusal(status, error.code, error.message, { next: error.next, retryAfterSeconds: seconds })
  } catch {
    return new Refusal(
      status,
      'unexpected',
      `an answer of status ${status} that is not ours: ${text.slice(0, 200)}`,
    )
  }
}

export const notFound = (what: string, next?: string) =>
  new Refusal(404, 'not_found', `There is no ${what}.`, { next })
export const badRequest = (message: string, next?: string) =>
  new Refusal(400, 'bad_request', message, { next })

const MOST_CHARS = 1000

/** What was sent may be part of the sentence, which ends on terminals and in logs: short and without control characters. */
const plain = (text: string) =>
  (text.length > MOST_CHARS ? `${text.slice(0, MOST_CHARS)} ...` : text).replace(
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    '\ufffd',
  )
