import swagger from '@fastify/swagger'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { version } from '../../../assets.ts'
import { ask } from '../../../contracts/ask.ts'
import { publicRoutes } from '../../../contracts/public-routes.ts'
import type { Route } from '../../../contracts/route.ts'
import { clusterStatus } from '../../../contracts/status.ts'
import { Cancel } from '../../cancel.ts'
import { hopWith } from '../../hop.ts'
import { noScope } from '../../server/arrival.ts'
import { hopOf } from '../../server/handle.ts'
import { takeBytes } from '../../server/upload.ts'
import { forwardAsk } from './ask.ts'
import { documented, openApi, withTypes } from './document.ts'
import { forward } from './forward.ts'
import type { Enter, Entry, Gate } from './gate.ts'
import { addOpenAi, openAiRoutes } from './openai/index.ts'
import { statusOf } from './status.ts'

/** Everything that clients can reach: the native API from contracts/, OpenAI's under /v1, and /healthz and /ready without data. */
export async function addPublicRoutes(app: FastifyInstance, gate: Gate): Promise<void> {
  // Answers come from other services as they are, so compiled serializers would only take memory.
  app.setSerializerCompiler(() => data => JSON.stringify(data))
  await app.register(swagger, openApi(version()))
  takeAnyBody(app)
  app.get('/healthz', { schema: { hide: true } }, async () => 'ok\n')
  app.get('/ready', { schema: { hide: true } }, async (_req, reply) => {
    const ready = gate.deps.verifier.missing().length === 0
    return reply.code(ready ? 200 : 503).send(ready ? 'ready\n' : 'not ready\n')
  })
  // Made once: nobody without a key may cost us more than bytes.
  let document = ''
  app.get('/api/v1/openapi.json', { schema: { hide: true } }, async (_req, reply) => {
    document ||= JSON.stringify(withTypes(app.swagger(), [...publicRoutes, ...openAiRoutes]))
    return reply.type('application/json; charset=utf-8').send(document)
  })

  for (const route of publicRoutes) {
    if (route.path === clusterStatus.path) enter(app, route, gate, () => statusOf(gate))
    else if (route.path === ask.path) enter(app, route, gate, entry => forwardAsk(entry, gate))
    else enter(app, route, gate, entry => forward(route, entry, gate))
  }
  addOpenAi(app, gate)
  await app.ready()
}

/** Registers a route behind the door: key, limits and open streams are settled before the body is read and `run` begins. */
export function enter(app: FastifyInstance, route: Route, gate: Gate, run: Enter): void {
  const entries = new WeakMap<FastifyRequest, Entry>()
  const add = (scope: FastifyInstance) =>
    scope.route({
      method: route.method,
      url: route.path,
      bodyLimit: route.bodyLimit,
      schema: documented(route),
      onRequest: async (req, reply) => void entries.set(req, await admitted(req, reply, route, gate)),
      handler: async req => {
        const entry = entries.get(req)!
        // Its body may have taken a while, and the key may be another matter by now.
        await gate.keys.confirm(entry.admitted.principal.key)
        return run(entry)
      },
    })
  if (!route.upload) add(app)
  else {
    app.register(async scope => {
      takeBytes(scope)
      add(scope)
    })
  }
}

async function admitted(req: FastifyRequest, reply: FastifyReply, route: Route, gate: Gate): Promise<Entry> {
  const gone = new Cancel()
  const hop = hopOf(req, reply, route, gone)
  const admitted = await gate.keys.admit(req, hop)
  if (route.scope && !admitted.principal.scopes.includes(route.scope)) throw noScope(route.scope)
  reply.raw.once('close', gate.streams.begin(admitted.principal.key, gone))
  return { req, reply, admitted, hop: hopWith(hop, { caller: undefined }) }
}

/** A GET or DELETE with a stray content-type is no reason to refuse it. */
function takeAnyBody(app: FastifyInstance): void {
  app.addHook('onRequest', (req, _reply, next) => {
    if ((req.method === 'GET' || req.method === 'DELETE') && req.headers['content-type'])
      delete req.headers['content-type']
    next()
  })
}
