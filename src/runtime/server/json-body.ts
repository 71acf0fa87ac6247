import { isUtf8 } from 'node:buffer'
import type { FastifyInstance } from 'fastify'
import { badRequest, Refusal } from '../refusal.ts'
import { tooLargeBody } from './errors.ts'

/** What is nested deeper is no honest request, and ends whoever writes it again as JSON with a full stack. */
const MAX_DEPTH = 64

/** Bytes of a body, where its route states no other limit. */
export const BODY_LIMIT = 1024 * 1024

/** Bodies are JSON in UTF-8, as they are: no other type, no compression, no bytes that are replaced on the way, no endless nesting. */
export function takeJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (req, body, done) => {
    const bytes = body as Buffer
    const encoding = req.headers['content-encoding']
    if (encoding !== undefined && encoding !== 'identity')
      return done(
        new Refusal(415, 'media_type', `A body in ${encoding} is not taken.`, {
          next: 'Send it uncompressed.',
        }),
      )
    if (!isUtf8(bytes))
      return done(badRequest('The body is not valid UTF-8.', 'Send JSON in UTF-8, without other bytes.'))
    return parse(req, bytes.toString('utf8'), (thrown, value) => {
      if (!thrown && isTooDeep(value, bytes.length)) return done(tooDeep())
      done(thrown, value)
    })
  })
}

/** A value that a caller in this process sends, as it would come out of a body: a copy, within the same limits. Throws as parsing a body does. */
export function throughJson(app: FastifyInstance, value: unknown, limitBytes = BODY_LIMIT): unknown {
  const text = JSON.stringify(value)
  const bytes = Buffer.byteLength(text)
  if (bytes > limitBytes) throw tooLargeBody()
  let read: { thrown: Error | null; value?: unknown } | undefined
  const parse = app.getDefaultJsonParser('error', 'error')
  void parse(undefined as never, text, (thrown, parsed) => {
    read = { thrown, value: parsed }
  })
  if (read?.thrown) throw read.thrown
  if (isTooDeep(read?.value, bytes)) throw tooDeep()
  return read?.value
}

const isTooDeep = (value: unknown, bytes: number) => bytes > 2 * MAX_DEPTH && isDeeper(value, MAX_DEPTH)

const tooDeep = () => badRequest(`The body is nested deeper than ${MAX_DEPTH} levels.`, 'Send it flatter.')

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (levels === 0) return true
  for (const inner of Object.values(value)) if (isDeeper(inner, levels - 1)) return true
  return false
}
