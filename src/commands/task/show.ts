import type { Command } from '../command.ts'
import { detailLines, resultText } from './result.ts'

export const show: Command = {
  name: 'show',
  summary: 'show a task with its attempts and its result',
  arguments: [{ name: 'task', says: 'id of the task' }],
  example: 'llmagentos task show 01JZ8Q0V7N3M5K2R4T6W8Y0A1C',
  async run({ args, json, io }) {
    const { openClient } = await import('../../runtime/index.ts')
    const { showTask } = await import('../../contracts/tasks.ts')
    const client = await openClient(io)
    try {
      const detail = await client.call(showTask, { params: { id: args[0]! } })
      if (json) return io.print(JSON.stringify(detail))
      for (const line of detailLines(detail)) io.print(line)
      const text = resultText(detail.result)
      if (text !== undefined) io.print(`\n${text}`)
    } finally {
      await client.close()
    }
  },
}
