import { EXIT, Failure } from '../../errors.ts'
import type { Command, Io } from '../command.ts'

export const remove: Command<{ confirm?: string }> = {
  name: 'rm',
  summary: 'remove a user and revoke all its keys; what it stored stays, its name stays taken',
  arguments: [{ name: 'name', says: 'the user' }],
  options: [{ flag: '--confirm <name>', says: 'the name once more: agrees without a question' }],
  example: 'llmagentos user rm bea',
  async run({ args, flags, json, io }) {
    const name = args[0]!
    await agree(name, flags.confirm, io)
    const { openClient } = await import('../../runtime/index.ts')
    const { removeUser } = await import('../../contracts/auth.ts')
    const client = await openClient(io)
    try {
      const gone: { removed: string; keys: number; missing?: string[] } = await client.call(removeUser, {
        params: { name },
      })
      if (json) return io.print(JSON.stringify(gone))
      io.print(`Removed ${gone.removed}; ${gone.keys} of its keys ended with it.`)
      if (gone.missing)
        io.say(
          `It is stored, but may not be known yet to: ${gone.missing.join(', ')}. That follows by itself.`,
        )
    } finally {
      await client.close()
    }
  },
}

async function agree(name: string, confirmed: string | undefined, io: Io): Promise<void> {
  if (confirmed === name) return
  const next = `llmagentos user rm ${name} --confirm ${name}`
  if (confirmed !== undefined)
    throw new Failure(`--confirm ${confirmed} is not the name of the user.`, { exit: EXIT.unsafe, next })
  if (!io.stdin.isTTY)
    throw new Failure(`A removed user cannot come back, nor its name.`, { exit: EXIT.unsafe, next })
  const { ask } = await import('../views/prompt.ts')
  const typed = await ask(
    `All keys of ${name} end, and the name cannot be used again. Type ${name} to go on:`,
    io,
  )
  if (typed !== name)
    throw new Failure('Nobody was removed.', {
      exit: EXIT.unsafe,
      why: 'What was typed is not the name of the user.',
    })
}
