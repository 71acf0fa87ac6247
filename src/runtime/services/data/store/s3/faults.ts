import { codeOf } from '../../../../../errors.ts'

/** What a gateway or the way to it answered, as far as it decides what happens next. */
export interface Fault {
  /** HTTP status; undefined where there was no answer. */
  status?: number
  /** S3's word, such as NoSuchKey, or the system's, such as ECONNREFUSED. */
  code: string
  /** The same request may have another end, here or elsewhere. */
  repeat: boolean
  /** Nobody answers there. */
  gone: boolean
  /** The key that signed it is not known there: it may have been changed. */
  unknownKey: boolean
}

const GONE = ['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'EHOSTDOWN', 'ENOTFOUND']
const KEYS = ['InvalidAccessKeyId', 'SignatureDoesNotMatch']
/** Refusals that come from a bad moment, and not from what was asked. */
const MOMENTS = [
  'RequestTimeout',
  'RequestTimeTooSkewed',
  'OperationAborted',
  'ConcurrentModification',
  'SlowDown',
]

export function faultOf(thrown: unknown): Fault {
  const { $metadata, name } = thrown as { $metadata?: { httpStatusCode?: number }; name?: string }
  const status = $metadata?.httpStatusCode
  const code = (status === undefined && codeOf(thrown)) || name || 'unknown'
  // A body that is no XML, or is cut, may be said to have come with 200.
  const answered = status !== undefined && status >= 300
  return {
    status: answered ? status : undefined,
    code,
    repeat: !answered || status >= 500 || status === 429 || status === 408 || MOMENTS.includes(code),
    gone: !answered && (GONE.includes(code) || code === 'TimeoutError'),
    unknownKey: answered && KEYS.includes(code),
  }
}

export const isMissing = (thrown: unknown) => {
  const { status, code } = faultOf(thrown)
  return status === 404 && code !== 'NoSuchBucket'
}
export const isTaken = (thrown: unknown) => faultOf(thrown).status === 412
