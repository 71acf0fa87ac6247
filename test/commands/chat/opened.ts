import { Conversation } from '../../../src/commands/chat/conversation.ts'
import type { Turn } from '../../../src/contracts/sessions.ts'
import { FakeTerminal } from '../../helpers/terminal.ts'
import { ClusterStandIn } from './cluster-stand-in.ts'

export const CTRL_C = '\u0003'
export const CTRL_D = '\u0004'
export const ESC = '\u001b'

/** A conversation that is painted, ready for keys. `left` settles when it has ended. */
export async function opened(o: { session?: string; turns?: Turn[]; columns?: number } = {}) {
  // ink looks once, when it is loaded, and paints nothing but the end where CI is set.
  for (const name of ['CI', 'CONTINUOUS_INTEGRATION']) delete process.env[name]
  const { showChat } = await import('../../../src/commands/views/chat.tsx')
  const terminal = new FakeTerminal({ columns: o.columns })
  const cluster = new ClusterStandIn()
  cluster.turnsKept = o.turns
  const columns = () => terminal.stdout.columns
  const conversation = new Conversation({ cluster, session: o.session, columns })
  const left = showChat(conversation, terminal.io())
  await terminal.shows('/help')
  return { terminal, cluster, conversation, left }
}
