import type { Command } from '../command.ts'

export const rm: Command = {
  name: 'rm',
  summary: 'remove a session and all its turns',
  arguments: [{ name: 'id', says: 'its id, as `session list` shows it' }],
  example: 'llmagentos session rm release-notes',
  async run({ args, json, io }) {
    const { openClient } = await import('../../runtime/index.ts')
    const { removeSession } = await import('../../contracts/sessions.ts')
    const client = await openClient(io)
    const done = await client.call(removeSession, { params: { id: args[0]! } }).finally(() => client.close())
    const turns = done.removed === 1 ? 'its one turn' : `its ${done.removed} turns`
    io.print(json ? JSON.stringify(done) : `Removed ${args[0]} with ${turns}.`)
  },
}
