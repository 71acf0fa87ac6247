import type { FastifyInstance } from 'fastify'
import type { Principal } from '../../contracts/identity.ts'
import type { ReplyOf, Route } from '../../contracts/route.ts'
import { type Asked, handle } from './handle.ts'
import { sendLines } from './lines.ts'
import type { Offer } from './local.ts'
import { isFrames } from './local-lines.ts'

/** All that a handler knows of a request that may come over the socket or from within the process. */
export type Question<R extends Route> = Pick<Asked<R>, 'body' | 'who' | 'hop'>

/**
 * Registers a route as `handle` does, for callers in this process also without the socket. Its requests are a body alone, no parameters, query
 * or headers of their own; the answer is a document, or frames that are sent as lines.
 */
export function offer<R extends Route & { params?: undefined; query?: undefined; upload?: undefined }>(
  app: FastifyInstance,
  route: R,
  verify: (token: string) => Promise<Principal>,
  answer: (question: Question<R>) => Promise<ReplyOf<R> | AsyncIterable<object>>,
): void {
  handle(app, route, verify, async ({ body, who, hop, reply }) => {
    const given = await answer({ body, who, hop })
    if (!isFrames(given)) return given
    await sendLines(reply, given, hop.requestId)
    return undefined
  })
  const status = Number(Object.keys(route.replies)[0])
  app.local.add({ route, status, verify, answer: answer as unknown as Offer['answer'] })
}
