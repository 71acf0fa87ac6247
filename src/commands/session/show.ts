import type { ReplyOf } from '../../contracts/route.ts'
import type { showSession, Turn } from '../../contracts/sessions.ts'
import type { Command } from '../command.ts'

export const show: Command = {
  name: 'show',
  summary: 'show the questions and answers of a session, oldest first',
  arguments: [{ name: 'id', says: 'its id, as `session list` shows it' }],
  example: 'llmagentos session show release-notes',
  async run({ args, json, io }) {
    const { openClient } = await import('../../runtime/index.ts')
    const { showSession: route } = await import('../../contracts/sessions.ts')
    const client = await openClient(io)
    try {
      const turns: Turn[] = []
      for (let after: number | undefined = 0; after !== undefined; ) {
        const page: ReplyOf<typeof showSession> = await client.call(route, {
          params: { id: args[0]! },
          query: { after, limit: 100 },
        })
        if (json) turns.push(...page.turns)
        else for (const turn of page.turns) io.print(text(turn))
        after = page.next
      }
      if (json) io.print(JSON.stringify({ id: args[0], turns }))
    } finally {
      await client.close()
    }
  },
}

/** Empty lines apart, so that a long session stays readable. */
function text(turn: Turn): string {
  const sources = turn.sources.map(s => `  [${s.n}] ${s.title} (${s.kb}: ${s.document})\n`).join('')
  return `${turn.turn}  ${turn.at}  ${turn.model}\n> ${turn.question.replaceAll('\n', '\n> ')}\n\n${turn.answer}\n${sources}`
}
