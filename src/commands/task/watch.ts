import { EXIT } from '../../errors.ts'
import type { Command } from '../command.ts'
import { exitFor, follow, lineOf } from './follow.ts'

export const watch: Command = {
  name: 'watch',
  summary: 'follow a task until it ends',
  arguments: [{ name: 'task', says: 'id of the task' }],
  example: 'llmagentos task watch 01JZ8Q0V7N3M5K2R4T6W8Y0A1C',
  more: 'With --json each change is a line of JSON. Exit codes: 0 done, 6 failed or dead, 8 expired, 130 cancelled.',
  async run({ args, json, io }) {
    const { openClient } = await import('../../runtime/index.ts')
    const client = await openClient(io)
    try {
      for await (const frame of follow(client, args[0]!, io)) {
        const line = json ? JSON.stringify(frame) : lineOf(frame)
        if (line) io.print(line)
        if (frame.type === 'task' && frame.task.ended) return exitFor(frame.task)
      }
    } finally {
      await client.close()
    }
    return EXIT.ok
  },
}
