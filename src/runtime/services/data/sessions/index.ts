import type { FastifyInstance } from 'fastify'
import type { DataConfig } from '../../../../contracts/config.ts'
import { HOP } from '../../../../contracts/hop.ts'
import type { Principal } from '../../../../contracts/identity.ts'
import {
  appendTurn,
  listSessions,
  removeSession,
  sessionWindow,
  showSession,
} from '../../../../contracts/sessions.ts'
import { notFound, Refusal } from '../../../refusal.ts'
import { handle } from '../../../server/handle.ts'
import type { Deps } from '../../../service.ts'
import { Room } from '../room.ts'
import type { ObjectStore } from '../store/store.ts'
import { overview } from './overview.ts'
import { Turns } from './turns.ts'

const PAGE = 100

/** Conversations. Whose they are is always what the verified token says: of the user, or the one that llm passes on. */
export function registerSessions(
  app: FastifyInstance,
  { verify }: Deps<DataConfig>,
  store: ObjectStore,
  room = new Room(undefined),
): void {
  const turnsOf = (who: Principal | undefined) => {
    if (!who)
      throw new Refusal(401, 'no_token', 'A session belongs to a user, so this needs an identity token.')
    return new Turns(store, who.user)
  }

  handle(app, sessionWindow, verify, async ({ params, who }) => {
    const newest = await turnsOf(who).newest(params.id)
    return { turn: newest?.turn ?? 0, window: newest?.window ?? [] }
  })

  handle(app, appendTurn, verify, async ({ params, body, who, req }) => {
    room.require()
    const writer = req.headers[HOP.writer]
    const turn = await turnsOf(who).append(params.id, body, typeof writer === 'string' ? writer : undefined)
    return { turn }
  })

  handle(app, listSessions, verify, async ({ query, who }) =>
    overview(turnsOf(who).heads(), { after: query.after, limit: query.limit ?? PAGE }),
  )

  handle(app, showSession, verify, async ({ params, query, who }) => {
    const turns = turnsOf(who)
    const newest = await turns.newest(params.id)
    if (!newest) throw noSession(params.id)
    const { newest: most, after = most ? Math.max(0, newest.turn - most) : 0, limit = most ?? PAGE } = query
    const page = await turns.page(params.id, { after, limit })
    const last = page.at(-1)?.turn
    return {
      id: params.id,
      turns: page.map(({ window: _, title: __, ...turn }) => turn),
      ...(last !== undefined && last < newest.turn && { next: last }),
    }
  })

  handle(app, removeSession, verify, async ({ params, who }) => {
    const removed = await turnsOf(who).remove(params.id)
    if (removed === 0) throw noSession(params.id)
    return { removed }
  })
}

const noSession = (id: string) => notFound(`session ${id}`, 'See `session list`.')
