import { PassThrough, type Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { badRequest } from '../refusal.ts'

/** So that whoever sends does not wait for each piece to be taken. */
const BUFFER_BYTES = 256 * 1024

/** In this plugin a body of any type is handed on as a stream of its bytes. */
export function takeBytes(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', (_req, payload, done) => done(null, detached(payload)))
  scope.addHook('onResponse', async req => void (req.body as Readable | undefined)?.destroy())
}

/**
 * A stream of the same bytes that may be destroyed at any time. Destroying a request itself cuts its connection or leaves it stuck, and then
 * nobody can be told why; here the rest is read and dropped, so that the connection serves the next request.
 */
function detached(payload: Readable): Readable {
  const body = new PassThrough({ highWaterMark: BUFFER_BYTES })
  const cut = () => {
    if (!payload.readableEnded)
      body.destroy(badRequest('The body ended before it was whole.', 'Send it again.'))
  }
  payload.once('error', cut).once('close', cut)
  // It may break before anybody reads it; whoever does hears of it.
  body.on('error', () => {})
  body.once('close', () => {
    payload.off('close', cut)
    payload.unpipe(body)
    payload.resume()
  })
  payload.pipe(body)
  return body
}
