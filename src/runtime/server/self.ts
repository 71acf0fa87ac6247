import type { FastifyInstance } from 'fastify'
import type { ServiceName } from '../../contracts/identity.ts'
import type { Ready } from '../../contracts/status.ts'
import type { Metrics } from '../metrics.ts'
import type { Running } from '../service.ts'

/** What every service tells of itself: alive (no data), ready (with reasons), figures. */
export function exposeSelf(
  app: FastifyInstance,
  o: { name: ServiceName; metrics: Metrics; running(): Running | undefined },
): void {
  app.get('/healthz', async () => 'ok\n')
  app.get('/ready', async (_req, reply) => {
    const running = o.running()
    const missing = running ? running.ready() : ['it is starting']
    const body: Ready = {
      service: o.name,
      ready: missing.length === 0,
      notes: [...missing, ...(running?.notes?.() ?? [])],
      facts: running?.facts?.() ?? {},
    }
    return reply.code(body.ready ? 200 : 503).send(body)
  })
  app.get('/metrics', async (_req, reply) =>
    reply.header('content-type', o.metrics.registry.contentType).send(await o.metrics.registry.metrics()),
  )
}
