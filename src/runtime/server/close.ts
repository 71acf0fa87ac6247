import type { FastifyInstance } from 'fastify'

const LOOK_MS = 50

/**
 * Takes no new connection and returns when what runs has ended, at the latest after `deadlineMs`. A connection that is kept alive becomes idle
 * only when its last answer is out, and Node closes those that are idle at the first moment alone, so it is looked for them again and again.
 */
export async function closeApp(app: FastifyInstance, deadlineMs: number): Promise<void> {
  const idle = setInterval(() => app.server.closeIdleConnections(), LOOK_MS)
  const late = setTimeout(() => app.server.closeAllConnections(), deadlineMs)
  await Promise.all([app.close(), app.local.close(deadlineMs)])
  clearInterval(idle)
  clearTimeout(late)
}
