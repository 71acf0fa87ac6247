import type { Static, TSchema } from 'typebox'
import type { Scope, ServiceName } from './identity.ts'

/**
 * One route of the API, known to both sides: the service handles it, the gateway forwards and documents it, the client calls it.
 * A public route lies under /api/v1 and needs `scope`; an internal one lies under /internal and is open to `callers` alone.
 */
export interface Route {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** With `:name` parameters; a final `*` takes the rest, slashes included. */
  path: string
  /** What it does, for OpenAPI and for the log. */
  says: string
  /** The service that handles it. */
  to: ServiceName
  scope?: Scope
  callers?: ServiceName[]
  params?: TSchema
  query?: TSchema
  body?: TSchema
  /** The body is bytes, handed on as a stream and never held whole. */
  upload?: { limitBytes: number }
  /** Bytes; 1 MiB unless stated. */
  bodyLimit?: number
  /**
   * When nobody knows what became of a request it may be sent again, as each GET may: always; where it goes on with no session; under an
   * `idempotency-key`, which our client gives it; where its caller gave it one.
   */
  repeats?: 'always' | 'sessionless' | 'keyed' | 'when keyed'
  /** The answer is written as it comes: NDJSON lines, server-sent events, or bytes. It may take as long as an answer may. */
  streams?: 'lines' | 'events' | 'bytes'
  /** Milliseconds that it may take at most, where that is not what its kind of answer may. */
  longestMs?: number
  replies: Record<number, TSchema>
}

type Of<S> = S extends TSchema ? Static<S> : undefined
export type BodyOf<R extends Route> = Of<R['body']>
export type QueryOf<R extends Route> = Of<R['query']>
export type ParamsOf<R extends Route> = Of<R['params']>
/** The reply of the first (lowest) success status. */
export type ReplyOf<R extends Route> = R['replies'] extends { 200: infer S }
  ? Of<S>
  : R['replies'] extends { 201: infer S }
    ? Of<S>
    : R['replies'] extends { 202: infer S }
      ? Of<S>
      : undefined

export const route = <const R extends Route>(r: R): R => r
