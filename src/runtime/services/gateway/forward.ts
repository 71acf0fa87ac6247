import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Audience } from '../../../contracts/auth.ts'
import { HOP } from '../../../contracts/hop.ts'
import type { Route } from '../../../contracts/route.ts'
import type { Reply } from '../../transport.ts'
import type { Entry, Gate } from './gate.ts'
import { spend } from './spend.ts'

/** Headers that mean the same on both sides of the gateway. */
const IN = ['content-type', 'content-length', 'range', 'idempotency-key']
const OUT = [
  'content-type',
  'content-length',
  'content-range',
  'accept-ranges',
  'etag',
  'retry-after',
  'content-disposition',
  'x-object-version',
  HOP.nothingBegun,
  HOP.outcomeUnknown,
]

/** Hands a request to the service of its route and the answer back, byte by byte. */
export async function forward(route: Route, entry: Entry, { deps, limits }: Gate): Promise<void> {
  const { req, hop, admitted } = entry
  const settle = spend(limits, admitted, 0)
  entry.reply.raw.once('close', () => settle(0))
  const answer = await deps.calls.raw(
    route,
    { ...hop, token: admitted.tokenFor(route.to as Audience) },
    {
      params: req.params as never,
      query: req.query as never,
      headers: picked(req.headers, route.upload ? IN : IN.filter(h => !h.startsWith('content-'))),
      ...(route.upload
        ? { upload: (req.body ?? Buffer.alloc(0)) as Readable }
        : route.body && { body: req.body as never }),
    },
  )
  await relay(answer, entry, route)
}

/** When the service cuts its answer, so do we: a cut stream never looks complete. */
export async function relay(answer: Reply, { reply }: Entry, route: Route): Promise<void> {
  reply.hijack()
  reply.raw.writeHead(answer.status, {
    ...(reply.getHeaders() as Record<string, string>),
    ...picked(answer.headers, OUT),
  })
  if (route.streams) reply.raw.flushHeaders()
  await pipeline(answer.body, reply.raw).catch(() => reply.raw.destroy())
}

function picked(
  headers: Record<string, string | string[] | undefined>,
  names: string[],
): Record<string, string> {
  const out: Record<string, string> = {}
  for (const name of names) {
    const value = headers[name]
    if (typeof value === 'string') out[name] = value
  }
  return out
}
