import type { ReplyOf } from '../../contracts/route.ts'
import type { listSessions } from '../../contracts/sessions.ts'
import type { Command } from '../command.ts'

export const list: Command = {
  name: 'list',
  summary: 'list your sessions, newest first',
  example: 'llmagentos session list',
  async run({ json, io }) {
    const { openClient } = await import('../../runtime/index.ts')
    const { listSessions: route } = await import('../../contracts/sessions.ts')
    const client = await openClient(io)
    try {
      const sessions: ReplyOf<typeof listSessions>['sessions'] = []
      for (let after: string | undefined; ; ) {
        const page: ReplyOf<typeof listSessions> = await client.call(route, { query: { after, limit: 1000 } })
        sessions.push(...page.sessions)
        if (page.next === undefined) break
        after = page.next
      }
      if (json) return io.print(JSON.stringify({ sessions }))
      if (sessions.length === 0)
        return io.say('There are no sessions yet. `llmagentos ask --session NAME` begins one.')
      const { table } = await import('../views/table.ts')
      io.print(
        table(
          ['SESSION', 'TURNS', 'LAST', 'TITLE'],
          sessions.map(s => [s.id, String(s.turns), s.last, s.title]),
        ),
      )
    } finally {
      await client.close()
    }
  },
}
