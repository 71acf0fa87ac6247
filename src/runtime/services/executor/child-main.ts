import type { Usage } from '../../../contracts/ask.ts'
import { reasonOf } from '../../../errors.ts'
import type { Log } from '../../../log.ts'
import { wrongWith } from '../../kinds/check.ts'
import { type Kind, TaskFailure } from '../../kinds/kind.ts'
import { Refusal } from '../../refusal.ts'
import { openCredentials } from '../../tls/credentials.ts'
import { Calls } from '../../transport.ts'
import { makeTools } from './child-tools.ts'
import type { ChildEnd, FromChild, ToChild } from './messages.ts'

/** Results past this go into an object of the user's, and the task names it. */
const MOST_RESULT_BYTES = 1024 * 1024

interface ChildOptions {
  loadKind(name: string): Promise<Kind | undefined>
  /** Called when the supervisor is gone: a child never outlives it. */
  exit(): void
}

/** Takes one task at a time from the supervisor over IPC, runs its kind and tells how it ended. */
export function serveChild(o: ChildOptions): void {
  let current: { abort: AbortController; token: { text: string } } | undefined
  process.on('disconnect', o.exit)
  // Ctrl-C in a terminal reaches the whole process group; when to end is the supervisor's to say.
  process.on('SIGINT', () => {})
  process.on('message', (m: ToChild) => {
    if (m.type === 'token' && current) current.token.text = m.token
    if (m.type === 'abort') current?.abort.abort(new Error(m.reason))
    if (m.type !== 'run') return
    const mine = { abort: new AbortController(), token: { text: m.token } }
    current = mine
    void run(m, { ...mine, loadKind: o.loadKind }).then(end => {
      current = undefined
      send({ type: 'end', end })
    })
  })
  send({ type: 'ready' })
}

type Order = Extract<ToChild, { type: 'run' }>
interface Means {
  abort: AbortController
  token: { text: string }
  loadKind: ChildOptions['loadKind']
}

async function run(order: Order, { abort, token, loadKind }: Means): Promise<ChildEnd> {
  const log = logToSupervisor()
  const credentials = order.tls && openCredentials(order.tls, { service: 'executor', log })
  const calls = new Calls('executor', order.services, { credentials })
  const usage: Usage = { promptTokens: 0, completionTokens: 0 }
  try {
    const kind = await loadKind(order.task.kind)
    if (!kind) return { is: 'failed', reason: `There is no kind of task named ${order.task.kind}.`, usage }
    const wrong = wrongWith(kind, order.task.params)
    if (wrong) return { is: 'failed', reason: `This does not fit the kind ${kind.name}: ${wrong}.`, usage }
    const tools = makeTools({
      order,
      calls,
      signal: abort.signal,
      token: () => token.text,
      used: u => {
        usage.promptTokens += u.promptTokens
        usage.completionTokens += u.completionTokens
      },
      progress: text => send({ type: 'progress', text: text.slice(0, 500) }),
      log,
    })
    const result = (await kind.run(order.task.params, tools)) ?? null
    const text = JSON.stringify(result)
    if (Buffer.byteLength(text) <= MOST_RESULT_BYTES) return { is: 'done', result, usage }
    const object = await tools.data.put('result.json', Buffer.from(text), 'application/json')
    return { is: 'done', result: { object, bytes: Buffer.byteLength(text) }, usage }
  } catch (thrown) {
    return { ...endOf(thrown), usage }
  } finally {
    await calls.close().catch(() => {})
    credentials?.close()
  }
}

/** A refusal for a reason that stays ends the task; trouble on the way, or a fault of ours, is worth another try. */
function endOf(thrown: unknown): { is: 'failed' | 'again'; reason: string; afterMs?: number } {
  if (thrown instanceof TaskFailure || (thrown instanceof Refusal && !isPassing(thrown)))
    return { is: 'failed', reason: [thrown.message, thrown.next].filter(Boolean).join(' ') }
  const seconds = thrown instanceof Refusal ? thrown.retryAfterSeconds : undefined
  return { is: 'again', reason: reasonOf(thrown), ...(seconds !== undefined && { afterMs: seconds * 1000 }) }
}

const isPassing = (r: Refusal) =>
  (r.status >= 500 && r.status !== 507) || [408, 429].includes(r.status) || r.code === 'token_expired'

function logToSupervisor(more: object = {}): Log {
  const at = (level: 'debug' | 'info' | 'warn' | 'error') => (fields: object, says: string) =>
    send({ type: 'log', level, fields: { ...more, ...fields }, says })
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: fields => logToSupervisor({ ...more, ...fields }),
  }
}

function send(message: FromChild): void {
  // Fails only when the supervisor is gone, and then `disconnect` ends this process.
  process.send?.(message, undefined, undefined, () => {})
}
