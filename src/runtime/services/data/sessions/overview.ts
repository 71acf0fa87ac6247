import type { ReplyOf } from '../../../../contracts/route.ts'
import type { listSessions } from '../../../../contracts/sessions.ts'
import { badRequest } from '../../../refusal.ts'
import type { StoredTurn } from './turns.ts'

type Listed = ReplyOf<typeof listSessions>['sessions'][number]

/** One page of sessions, newest first. `next` names the last one of the page by time and id, so a page holds while others write. */
export async function overview(
  heads: AsyncIterable<{ id: string; newest: StoredTurn }>,
  o: { after?: string; limit: number },
): Promise<ReplyOf<typeof listSessions>> {
  const mark = o.after === undefined ? undefined : markOf(o.after)
  const sessions: Listed[] = []
  for await (const { id, newest } of heads) {
    const session = { id, turns: newest.turn, last: newest.at, title: newest.title }
    if (!mark || newestFirst(mark, session) < 0) sessions.push(session)
  }
  sessions.sort(newestFirst)
  const page = sessions.slice(0, o.limit)
  const { last, id } = page.at(-1) ?? {}
  return { sessions: page, ...(sessions.length > page.length && { next: `${last}_${id}` }) }
}

function markOf(text: string): { last: string; id: string } {
  const [, last, id] = /^([^_]+)_(.+)$/.exec(text) ?? []
  if (!last || !id) throw badRequest('`after` is not the `next` of an earlier page.')
  return { last, id }
}

function newestFirst(a: { last: string; id: string }, b: { last: string; id: string }): number {
  if (a.last !== b.last) return a.last > b.last ? -1 : 1
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0
}
