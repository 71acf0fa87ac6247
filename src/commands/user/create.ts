import type { Role } from '../../contracts/identity.ts'
import type { Command } from '../command.ts'
import { ROLE_CHOICES } from './roles.ts'

export const create: Command<{ role: Role }> = {
  name: 'create',
  summary: 'create a user',
  arguments: [{ name: 'name', says: 'small letters, digits, dot, dash and underscore; a letter first' }],
  options: [{ flag: '--role <role>', says: 'what the user may do', choices: ROLE_CHOICES, default: 'user' }],
  example: 'llmagentos user create bea --role operator && llmagentos key create laptop --user bea',
  async run({ args, flags, json, io }) {
    const { openClient } = await import('../../runtime/index.ts')
    const { createUser } = await import('../../contracts/auth.ts')
    const client = await openClient(io)
    try {
      const made = await client.call(createUser, { body: { name: args[0]!, role: flags.role } })
      if (json) return io.print(JSON.stringify(made))
      io.print(`Created ${made.name}, ${made.role}.`)
      io.say(`A key for ${made.name}: llmagentos key create NAME --user ${made.name}`)
    } finally {
      await client.close()
    }
  },
}
