import type { ServerOptions } from 'node:https'
import fastify, { type FastifyInstance } from 'fastify'
import { ANSWER_DEADLINE_MS, HOP } from '../../contracts/hop.ts'
import { isRefused } from '../call-parts.ts'
import { requestIdFrom } from '../hop.ts'
import { type Books, noteAnswer, noteFailure } from './answered.ts'
import { asRefusal } from './errors.ts'
import { BODY_LIMIT, takeJson } from './json-body.ts'
import { LocalRoutes } from './local.ts'
import { refuseAddress, refuseLate, refuseUnparsed } from './unparsed.ts'

/** Longest time to read a body that is held whole. */
const BODY_MS = 30_000
/** How long whoever still sends has to read its answer. */
const UNREAD_MS = 2_000

/**
 * An HTTP server with our limits, request ids, error body and request figures; the public and the internal side share it. `front`: its callers may
 * have no replica to turn to, and it does nothing by itself.
 */
export function buildApp(o: Books & { tls?: ServerOptions; front?: true }): FastifyInstance {
  const http = {
    headersTimeout: 10_000,
    // Node looks for late ones only so often.
    connectionsCheckingInterval: 2_000,
    maxHeaderSize: 16 * 1024,
    noDelay: true,
  }
  const app = fastify({
    logger: false,
    bodyLimit: BODY_LIMIT,
    // Of the whole request: an upload of gigabytes takes its time; limitBodyTime bounds the others.
    requestTimeout: ANSWER_DEADLINE_MS,
    keepAliveTimeout: 72_000,
    forceCloseConnections: 'idle',
    // Whoever has a replica to turn to hears 503 when it comes too late; at the front what is on a connection that was taken is answered.
    return503OnClosing: !o.front,
    ...(o.tls ? { https: { ...http, ...o.tls } } : { http }),
    clientErrorHandler: refuseUnparsed,
    frameworkErrors: refuseAddress,
    // Wildcard parameters hold object names and model names.
    routerOptions: { maxParamLength: 1024 },
    genReqId: req => requestIdFrom(req.headers[HOP.requestId]),
    // A field that no schema knows is a mistake or an attack: refuse it, never drop it silently.
    ajv: {
      customOptions: { removeAdditional: false, coerceTypes: false, useDefaults: true, allErrors: false },
    },
    exposeHeadRoutes: false,
    // Over TLS it is the same to all who use it; the types of fastify tell the two servers apart.
  }) as unknown as FastifyInstance
  app.decorate('local', new LocalRoutes(app, o))
  takeJson(app)
  coerceQueries(app)
  limitBodyTime(app)
  endUnreadBodies(app)
  // Hooks of every request are plain callbacks: an async one costs a turn of promises, several times a request.
  app.addHook('onRequest', (req, reply, next) => {
    reply.header(HOP.requestId, req.id)
    next()
  })
  app.addHook('onResponse', (req, reply, next) => {
    noteAnswer(o, {
      requestId: req.id,
      method: req.method,
      route: req.routeOptions.url ?? 'none',
      status: reply.statusCode,
      ms: reply.elapsedTime,
    })
    next()
  })
  app.setErrorHandler((thrown, req, reply) => {
    const refusal = asRefusal(thrown)
    noteFailure(o, { requestId: req.id, method: req.method, route: req.routeOptions.url, thrown, refusal })
    if (refusal.retryAfterSeconds !== undefined)
      reply.header('retry-after', String(refusal.retryAfterSeconds))
    // What a service in the middle called may not have begun; what it did itself before that call is another matter.
    if (refusal.nothingBegun || (o.front && isRefused(thrown))) reply.header(HOP.nothingBegun, '1')
    if (refusal.code === 'cut') reply.header(HOP.outcomeUnknown, '1')
    return reply.code(refusal.status).send(refusal.body(req.id))
  })
  app.setNotFoundHandler((req, reply) =>
    reply.code(404).send({
      error: {
        code: 'no_route',
        message: `There is no ${req.method} ${req.url.split('?')[0]}.`,
        requestId: req.id,
      },
    }),
  )
  return app
}

/** A body that is parsed must have come whole in time, else its connection is cut; an upload passes on at once. */
function limitBodyTime(app: FastifyInstance): void {
  const timers = new WeakMap<object, NodeJS.Timeout>()
  const stop = (req: object) => clearTimeout(timers.get(req))
  app.addHook('preParsing', (req, _reply, _payload, next) => {
    timers.set(
      req,
      setTimeout(() => refuseLate(req.raw.socket), BODY_MS),
    )
    next()
  })
  app.addHook('preValidation', (req, _reply, next) => {
    stop(req)
    next()
  })
  app.addHook('onResponse', (req, _reply, next) => {
    stop(req)
    next()
  })
  app.addHook('onRequestAbort', (req, next) => {
    stop(req)
    next()
  })
}

/**
 * An answer may come before the whole body did: an upload is refused at its first bytes. Nobody reads the rest, so the connection would stay
 * as it is, for it cannot even be seen to end.
 */
function endUnreadBodies(app: FastifyInstance): void {
  app.addHook('onRequest', ({ raw }, reply, next) => {
    const { socket } = raw
    reply.raw.once('finish', () => {
      if (!raw.complete) setTimeout(() => !raw.complete && socket.destroy(), UNREAD_MS).unref()
    })
    next()
  })
}

/** A query string holds text alone, so numbers and booleans in it are read as such; a body's types are taken as they are. */
function coerceQueries(app: FastifyInstance): void {
  app.addHook('onRoute', route => {
    const schema = route.schema as
      | { querystring?: { properties?: Record<string, { type?: string }> } }
      | undefined
    const typed = Object.entries(schema?.querystring?.properties ?? {}).filter(
      ([, s]) => s.type && s.type !== 'string',
    )
    if (typed.length === 0) return
    const before = [route.preValidation ?? []].flat()
    route.preValidation = [
      async req => {
        const query = req.query as Record<string, unknown>
        for (const [name, { type }] of typed) query[name] = read(query[name], type!)
        for (const name of Object.keys(query)) if (query[name] === undefined) delete query[name]
      },
      ...before,
    ]
  })
}

function read(text: unknown, type: string): unknown {
  if (typeof text !== 'string') return text
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text
}
