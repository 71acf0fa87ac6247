import type { Task } from '../../contracts/tasks.ts'
import type { Command } from '../command.ts'
import { wholeNumber } from '../values.ts'

interface Flags {
  state?: Task['state']
  kind?: string
  limit: number
}

const STATES: Task['state'][] = [
  'waiting',
  'queued',
  'running',
  'done',
  'failed',
  'dead',
  'cancelled',
  'expired',
]
const PAGE = 200

export const list: Command<Flags> = {
  name: 'list',
  summary: 'list your tasks, newest first',
  options: [
    { flag: '--state <state>', says: 'only those in this state', choices: STATES },
    { flag: '--kind <kind>', says: 'only those of this kind' },
    {
      flag: '--limit <count>',
      says: 'how many at most',
      default: 50,
      parse: wholeNumber({ from: 1, to: 100_000 }),
    },
  ],
  example: 'llmagentos task list --state running',
  async run({ flags, json, io }) {
    const { openClient } = await import('../../runtime/index.ts')
    const { listTasks } = await import('../../contracts/tasks.ts')
    const client = await openClient(io)
    try {
      const tasks: Task[] = []
      for (let after: string | undefined; tasks.length < flags.limit; ) {
        const limit = Math.min(PAGE, flags.limit - tasks.length)
        const query = { state: flags.state, kind: flags.kind, after, limit }
        const page: { tasks: Task[]; next?: string } = await client.call(listTasks, { query })
        tasks.push(...page.tasks)
        if (page.next === undefined) break
        after = page.next
      }
      if (json) return io.print(JSON.stringify({ tasks }))
      if (tasks.length === 0)
        return io.say('There are no such tasks. `llmagentos task submit "..."` submits one.')
      const { table } = await import('../views/table.ts')
      io.print(
        table(
          ['TASK', 'STATE', 'KIND', 'SUBMITTED', 'SAYS'],
          tasks.map(t => [t.id, t.state, t.kind, t.submitted, short(t.says)]),
        ),
      )
    } finally {
      await client.close()
    }
  },
}

const short = (text: string) => (text.length > 60 ? `${text.slice(0, 57)}...` : text)
