import type { Command } from '../command.ts'

export const revoke: Command = {
  name: 'revoke',
  summary: 'revoke an API key: refused everywhere within a second',
  arguments: [{ name: 'id', says: 'its id, as `key list` shows it' }],
  example: 'llmagentos key revoke k3v9x0q2m7w1z8ab',
  async run({ args, json, io }) {
    const { openClient } = await import('../../runtime/index.ts')
    const { revokeKey } = await import('../../contracts/auth.ts')
    const client = await openClient(io)
    try {
      const done: { revoked: string; missing?: string[] } = await client.call(revokeKey, {
        params: { id: idIn(args[0]!) },
      })
      if (json) return io.print(JSON.stringify(done))
      io.print(`Revoked ${done.revoked}.`)
      if (done.missing)
        io.say(
          `It counts from now on, but is not kept yet in: ${done.missing.join(', ')}. That follows by itself.`,
        )
    } finally {
      await client.close()
    }
  },
}

/** Whoever pastes the whole key means its id; the secret in it goes nowhere. */
const idIn = (text: string) => /^lao_([a-z0-9]{16})_/.exec(text)?.[1] ?? text
