import type { Role } from '../../contracts/identity.ts'
import type { Command } from '../command.ts'
import { ROLE_CHOICES } from './roles.ts'

export const setRole: Command = {
  name: 'set-role',
  summary: 'change what a user may do; existing keys follow',
  arguments: [
    { name: 'name', says: 'the user' },
    { name: 'role', says: 'what the user may do', choices: ROLE_CHOICES },
  ],
  example: 'llmagentos user set-role bea operator',
  async run({ args, json, io }) {
    const { openClient } = await import('../../runtime/index.ts')
    const { setRole } = await import('../../contracts/auth.ts')
    const client = await openClient(io)
    try {
      const [name, role] = args as [string, Role]
      const changed = await client.call(setRole, { params: { name }, body: { role } })
      io.print(json ? JSON.stringify(changed) : `${changed.name} is now ${changed.role}.`)
    } finally {
      await client.close()
    }
  },
}
