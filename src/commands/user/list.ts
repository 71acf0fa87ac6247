import type { Command } from '../command.ts'

export const list: Command<{ all?: boolean }> = {
  name: 'list',
  summary: 'list users',
  options: [{ flag: '--all', says: 'also those that were removed' }],
  example: 'llmagentos user list',
  async run({ flags, json, io }) {
    const { openClient } = await import('../../runtime/index.ts')
    const { listUsers } = await import('../../contracts/auth.ts')
    const client = await openClient(io)
    try {
      const { users } = await client.call(listUsers)
      const shown = flags.all ? users : users.filter(u => !u.removed)
      if (json) return io.print(JSON.stringify({ users: shown }))
      const { table } = await import('../views/table.ts')
      const rows = shown.map(u => [u.name, u.role, u.created, u.removed ? `removed ${u.removed}` : 'active'])
      io.print(table(['NAME', 'ROLE', 'CREATED', 'STATE'], rows))
    } finally {
      await client.close()
    }
  },
}
