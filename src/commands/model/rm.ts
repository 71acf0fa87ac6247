import type { Command } from '../command.ts'

export const rm: Command = {
  name: 'rm',
  summary: 'remove a model from the workers',
  arguments: [{ name: 'model', says: 'a name from `model list`' }],
  example: 'llmagentos model rm llama3.2',
  async run({ args, json, io }) {
    const { openClient } = await import('../../runtime/index.ts')
    const { removeModel } = await import('../../contracts/models.ts')
    const client = await openClient(io)
    const done = await client.call(removeModel, { params: { '*': args[0]! } }).finally(() => client.close())
    io.print(json ? JSON.stringify(done) : `${done.removed} is removed from ${done.workers.join(', ')}.`)
  },
}
