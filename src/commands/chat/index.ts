import { EXIT, Failure } from '../../errors.ts'
import type { Command, Io } from '../command.ts'
import { each } from '../values.ts'

interface Flags {
  kb?: string[]
  model?: string
  session?: string
}

export const chat: Command<Flags> = {
  name: 'chat',
  summary: 'talk with the cluster, question by question',
  options: [
    { flag: '--session <id>', says: 'go on with that conversation, or begin one under that name' },
    { flag: '--model <name>', says: 'the model that answers' },
    {
      flag: '--kb <name>',
      says: 'answer from this knowledge base only; may be given several times',
      parse: each,
    },
  ],
  example: 'llmagentos chat\nllmagentos chat --session 2026-01-31-k7fm2x',
  more: 'Ctrl-C cancels an answer that runs; on an empty line it leaves.',
  async run({ flags, json, io }) {
    await refuse({ session: flags.session, json, io })
    const { openCluster } = await import('./cluster.ts')
    const { Conversation } = await import('./conversation.ts')
    const { showChat } = await import('../views/chat.tsx')
    const cluster = await openCluster(io, flags)
    const columns = () => io.stdout.columns ?? 80
    const conversation = new Conversation({ ...flags, cluster, columns })
    try {
      await showChat(conversation, io)
    } finally {
      await cluster.close()
    }
    if (conversation.kept) io.say(`Go on with: llmagentos chat --session ${conversation.session}`)
    return io.signal.aborted ? EXIT.interrupted : EXIT.ok
  },
}

/** Whatever can be said before a screen is drawn. */
async function refuse(o: { session?: string; json: boolean; io: Io }): Promise<void> {
  const next = 'For scripts and pipes: llmagentos ask "how do I add a node?"'
  if (o.json) throw new Failure('chat has no JSON output.', { exit: EXIT.usage, next })
  if (!o.io.stdin.isTTY || !o.io.stdout.isTTY)
    throw new Failure('chat needs a terminal.', { exit: EXIT.usage, next })
  if (ci(o.io.env))
    throw new Failure('chat draws nothing where CI is set in the environment.', {
      exit: EXIT.usage,
      next: `At a terminal: env -u CI -u CONTINUOUS_INTEGRATION llmagentos chat. ${next}`,
    })
  const { SESSION_ID } = await import('../../contracts/ask.ts')
  if (o.session !== undefined && !new RegExp(SESSION_ID).test(o.session))
    throw new Failure(`${o.session} cannot be the name of a session.`, {
      exit: EXIT.usage,
      next: 'Take up to 64 letters, digits, dots, dashes and underscores, a letter or digit first.',
    })
}

/** As ink decides it: in CI it paints only once, at the end. */
const ci = (env: NodeJS.ProcessEnv) =>
  ['CI', 'CONTINUOUS_INTEGRATION'].some(name => ![undefined, '0', 'false'].includes(env[name]))
