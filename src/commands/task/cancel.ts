import type { Command } from '../command.ts'

export const cancel: Command = {
  name: 'cancel',
  summary: 'cancel a task that has not ended',
  arguments: [{ name: 'task', says: 'id of the task' }],
  example: 'llmagentos task cancel 01JZ8Q0V7N3M5K2R4T6W8Y0A1C',
  async run({ args, json, io }) {
    const { openClient } = await import('../../runtime/index.ts')
    const { cancelTask } = await import('../../contracts/tasks.ts')
    const client = await openClient(io)
    try {
      const task = await client.call(cancelTask, { params: { id: args[0]! } })
      io.print(json ? JSON.stringify(task) : `Task ${task.id} is ${task.state}.`)
    } finally {
      await client.close()
    }
  },
}
