import { EXIT, Failure } from '../../errors.ts'
import type { Command, Io } from '../command.ts'

interface Flags {
  purge?: boolean
  confirm?: string
}

export const down: Command<Flags> = {
  name: 'down',
  summary: 'stop the cluster; what it stored is kept',
  options: [
    { flag: '--purge', says: 'also remove everything it stored, after asking' },
    { flag: '--confirm <name>', says: 'the name of the cluster: agrees to --purge without a question' },
  ],
  example: 'llmagentos cluster down',
  async run({ flags, json, io }) {
    const { downLocal, LOCAL } = await import('../../runtime/index.ts')
    if (flags.purge) await agree(LOCAL, flags.confirm, io)
    const how = await downLocal({ env: io.env, signal: io.signal, purge: flags.purge === true })
    const says = {
      stopped: 'The cluster is stopped',
      killed: 'The cluster did not stop in time and was killed',
      absent: 'No cluster was running',
    }[how]
    if (json) io.print(JSON.stringify({ event: 'done', stopped: how, purged: flags.purge === true }))
    else
      io.print(flags.purge ? `${says}; everything it stored is removed.` : `${says}. What it stored is kept.`)
    return how === 'killed' ? EXIT.partial : EXIT.ok
  },
}

async function agree(name: string, confirmed: string | undefined, io: Io): Promise<void> {
  if (confirmed === name) return
  const next = `llmagentos cluster down --purge --confirm ${name}`
  if (confirmed !== undefined) {
    throw new Failure(`--confirm ${confirmed} is not the name of the cluster.`, { exit: EXIT.unsafe, next })
  }
  if (!io.stdin.isTTY)
    throw new Failure('--purge removes everything that the cluster stored.', { exit: EXIT.unsafe, next })
  const { ask } = await import('../views/prompt.ts')
  const typed = await ask(
    `This removes all tasks, sessions, objects, knowledge and keys. Type ${name} to go on:`,
    io,
  )
  if (typed !== name)
    throw new Failure('Nothing was removed.', {
      exit: EXIT.unsafe,
      why: 'What was typed is not the name of the cluster.',
    })
}
