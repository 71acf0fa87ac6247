import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods, RouteOptions } from 'fastify'
import { HOP } from '../../contracts/hop.ts'
import { type Principal, SERVICES, type ServiceName } from '../../contracts/identity.ts'
import type { BodyOf, ParamsOf, QueryOf, ReplyOf, Route } from '../../contracts/route.ts'
import { Cancel } from '../cancel.ts'
import type { Hop } from '../hop.ts'
import { Refusal } from '../refusal.ts'
import { callerOn, isTls } from '../tls/caller.ts'
import { admit, begin, callerLeft } from './arrival.ts'
import { takeBytes } from './upload.ts'

export interface Asked<R extends Route> {
  params: ParamsOf<R>
  query: QueryOf<R>
  body: BodyOf<R>
  /** The body of an `upload` route. */
  upload: Readable
  /** Who the request is for. Present on every public route; on internal ones when the caller acts for a user. */
  who: R extends { scope: string } ? Principal : Principal | undefined
  hop: Hop
  req: FastifyRequest
  reply: FastifyReply
}

/** What it returns is sent as JSON; a handler that answered through `reply` itself returns nothing. */
type Handler<R extends Route> = (asked: Asked<R>) => Promise<ReplyOf<R> | undefined>

/** Registers one route of contracts/ on a service: identity, scope and schema are checked before `handler` runs. */
export function handle<R extends Route>(
  app: FastifyInstance,
  route: R,
  verify: (token: string) => Promise<Principal>,
  handler: Handler<R>,
): void {
  const success = Number(Object.keys(route.replies)[0])
  const options: RouteOptions = {
    method: route.method as HTTPMethods,
    url: route.path,
    bodyLimit: route.bodyLimit,
    schema: schemaOf(route),
    handler: async (req, reply) => {
      const hop = hopOf(req, reply, route)
      const who = await admit(route, hop, verify)
      const asked = {
        params: req.params,
        query: req.query,
        body: req.body,
        // Without a byte there is no body to parse, and so none to hand on.
        upload: req.body ?? Readable.from([]),
        who,
        hop,
        req,
        reply,
      } as unknown as Asked<R>
      const answer = await handler(asked)
      if (reply.sent || reply.raw.headersSent) return reply
      return reply.code(success).send(answer ?? {})
    },
  }
  if (!route.upload) app.route(options)
  else addUpload(app, options, route.upload.limitBytes)
}

export function schemaOf(route: Route): NonNullable<RouteOptions['schema']> {
  return {
    ...(route.params && { params: route.params }),
    ...(route.query && { querystring: route.query }),
    ...(route.body && { body: route.body }),
  }
}

/** Under its own plugin, so that the bytes of a JSON file are not parsed on the way. */
function addUpload(app: FastifyInstance, options: RouteOptions, limitBytes: number): void {
  app.register(async scope => {
    takeBytes(scope)
    scope.route({
      ...options,
      onRequest: async req => {
        if (Number(req.headers['content-length'] ?? 0) > limitBytes) throw tooLarge(limitBytes)
      },
    })
  })
}

export const tooLarge = (limitBytes: number) =>
  new Refusal(413, 'too_large', `The body is larger than ${Math.floor(limitBytes / 1024 / 1024)} MiB.`)

/** Reads what the caller sent along; `gone` fires when the caller is gone or the deadline has passed, and may be fired for other reasons. */
export function hopOf(req: FastifyRequest, reply: FastifyReply, route: Route, gone = new Cancel()): Hop {
  const deadline = Number(req.headers[HOP.deadline])
  const bearer = req.headers.authorization
  const { hop, stop } = begin(
    route,
    {
      requestId: req.id,
      deadline: Number.isFinite(deadline) ? deadline : undefined,
      token: bearer?.startsWith('Bearer ') ? bearer.slice(7) : undefined,
      caller: callerOf(req),
      attempt: Number(req.headers[HOP.attempt]) || undefined,
    },
    gone,
  )
  const left = () => {
    stop()
    if (!reply.raw.writableFinished) gone.abort(callerLeft())
  }
  // It may have left while its body was read; the event is then past.
  if (reply.raw.destroyed) left()
  else reply.raw.once('close', left)
  return hop
}

/** Over TLS the certificate says it. The header is believed on a unix socket alone, whose folder other users cannot enter. */
function callerOf(req: FastifyRequest): ServiceName | undefined {
  const { socket } = req.raw
  if (isTls(socket)) return callerOn(socket)?.id.service
  const name = req.headers[HOP.caller]
  return SERVICES.find(s => s === name)
}
