import type { Command } from '../command.ts'

export const rm: Command = {
  name: 'rm',
  summary: 'remove an object with all its versions',
  arguments: [{ name: 'name', says: 'name of the object' }],
  example: 'llmagentos data rm reports/2026/q1.pdf',
  async run({ args, json, io }) {
    const { openClient } = await import('../../runtime/index.ts')
    const { removeObject } = await import('../../contracts/objects.ts')
    const client = await openClient(io)
    const done = await client.call(removeObject, { params: { '*': args[0]! } }).finally(() => client.close())
    const versions = done.versions > 1 ? ` with its ${done.versions} versions` : ''
    io.print(json ? JSON.stringify(done) : `Removed ${done.removed}${versions}.`)
  },
}
