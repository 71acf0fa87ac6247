import type { KeyInfo } from '../../contracts/auth.ts'
import type { Command } from '../command.ts'

export const list: Command<{ all?: boolean }> = {
  name: 'list',
  summary: 'list API keys: yours, or those of everybody with the scope users',
  options: [{ flag: '--all', says: 'also those that were revoked or have expired' }],
  example: 'llmagentos key list',
  async run({ flags, json, io }) {
    const { openClient } = await import('../../runtime/index.ts')
    const { listKeys } = await import('../../contracts/auth.ts')
    const client = await openClient(io)
    try {
      const { keys } = await client.call(listKeys)
      const shown = flags.all ? keys : keys.filter(k => stateOf(k) === 'active')
      if (json) return io.print(JSON.stringify({ keys: shown }))
      if (shown.length === 0) return io.say('There is no key. `--all` shows those that ended.')
      const { table } = await import('../views/table.ts')
      io.print(table(['ID', 'NAME', 'USER', 'MAY', 'MODELS', 'LIMITS', 'STATE', 'EXPIRES'], shown.map(row)))
    } finally {
      await client.close()
    }
  },
}

const row = (k: KeyInfo) => [
  k.id,
  k.name,
  k.user,
  k.scopes.join(','),
  k.models?.join(',') ?? 'all',
  limits(k),
  stateOf(k),
  k.expires ?? 'never',
]

function limits({ limits }: KeyInfo): string {
  const said = []
  if (limits.requestsPerMinute !== undefined) said.push(`${limits.requestsPerMinute} req/min`)
  if (limits.tokensPerMinute !== undefined) said.push(`${limits.tokensPerMinute} tok/min`)
  return said.join(', ') || 'none'
}

function stateOf(k: KeyInfo): string {
  if (k.revoked) return 'revoked'
  return k.expires && Date.parse(k.expires) <= Date.now() ? 'expired' : 'active'
}
