import type { Command } from '../command.ts'

export const retry: Command = {
  name: 'retry',
  summary: 'submit an ended task again, under a new id',
  arguments: [{ name: 'task', says: 'id of the task that ended' }],
  example: 'llmagentos task retry 01JZ8Q0V7N3M5K2R4T6W8Y0A1C',
  async run({ args, json, io }) {
    const { openClient } = await import('../../runtime/index.ts')
    const { retryTask } = await import('../../contracts/tasks.ts')
    const client = await openClient(io)
    try {
      const { task } = await client.call(retryTask, { params: { id: args[0]! } })
      if (json) return io.print(JSON.stringify({ task }))
      io.print(task.id)
      io.say(`Follow it: llmagentos task watch ${task.id}`)
    } finally {
      await client.close()
    }
  },
}
