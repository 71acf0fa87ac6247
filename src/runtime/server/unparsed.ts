import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { HOP } from '../../contracts/hop.ts'
import { codeOf } from '../../errors.ts'
import { newRequestId } from '../hop.ts'
import { badRequest, Refusal } from '../refusal.ts'

/** What cannot be read as HTTP, or does not come in time, is answered in our shape and its connection closed. */
export function refuseUnparsed(thrown: Error, socket: Socket): void {
  refuse(codeOf(thrown), socket)
}

/** For a body that is not there in time. */
export const refuseLate = (socket: Socket): void => refuse(LATE, socket)

const LATE = 'ERR_HTTP_REQUEST_TIMEOUT'

function refuse(code: string | undefined, socket: Socket): void {
  const { _httpMessage: begun } = socket as Socket & { _httpMessage?: { headersSent: boolean } | null }
  // An answer is half out already: more bytes would be taken for its own.
  if (code === 'ECONNRESET' || !socket.writable || begun?.headersSent) {
    socket.destroy()
    return
  }
  const requestId = newRequestId()
  const refusal = refusalOf(code)
  const body = JSON.stringify(refusal.body(requestId))
  socket.end(
    [
      `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}`,
      `${HOP.requestId}: ${requestId}`,
      'content-type: application/json; charset=utf-8',
      `content-length: ${Buffer.byteLength(body)}`,
      'connection: close',
      '',
      body,
    ].join('\r\n'),
    () => socket.destroy(),
  )
}

function refusalOf(code: string | undefined): Refusal {
  if (code === LATE)
    return new Refusal(408, 'timeout', 'The request did not come whole in time.', { next: 'Send it again.' })
  if (code === 'HPE_HEADER_OVERFLOW')
    return new Refusal(431, 'too_large', 'The headers and the address together are larger than 16 KiB.')
  return badRequest('This is not HTTP/1.1 as it is defined.', 'Use an HTTP client.')
}

/** What the router cannot take: the address is not decodable, or a name in it is too long. */
export function refuseAddress(thrown: FastifyError, req: FastifyRequest, reply: FastifyReply): void {
  const refusal =
    thrown.code === 'FST_ERR_MAX_PARAM_LENGTH'
      ? new Refusal(414, 'too_large', 'A name in the address is too long.')
      : badRequest(
          'The address cannot be read: what follows a % is not UTF-8 in hexadecimal.',
          'Percent-encode each part of it.',
        )
  void reply.code(refusal.status).header(HOP.requestId, req.id).send(refusal.body(req.id))
}
