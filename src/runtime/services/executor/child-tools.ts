import { type AskAnswer, ask, embed, type Frame, type Usage } from '../../../contracts/ask.ts'
import { ANSWER_DEADLINE_MS, HOP } from '../../../contracts/hop.ts'
import { putDocument, searchKb } from '../../../contracts/kb.ts'
import { getObject, putObject } from '../../../contracts/objects.ts'
import type { Route } from '../../../contracts/route.ts'
import type { Log } from '../../../log.ts'
import { type Hop, ownHop } from '../../hop.ts'
import { TaskFailure, type Tools } from '../../kinds/kind.ts'
import { Refusal, refusalFrom, refusalIn } from '../../refusal.ts'
import { attemptText } from '../../tasks/names.ts'
import type { Calls } from '../../transport.ts'
import type { ToChild } from './messages.ts'

/** Most that one task reads into its memory at a time. */
const MOST_OBJECT_BYTES = 128 * 1024 * 1024

interface Means {
  order: Extract<ToChild, { type: 'run' }>
  calls: Calls
  signal: AbortSignal
  /** The newest one: the supervisor renews it while the task runs. */
  token(): string
  used(usage: Usage): void
  progress(text: string): void
  log: Log
}

/** The tools of one attempt: calls as its user, marked with the attempt where they write. */
export function makeTools(m: Means): Tools {
  const { task, deadline } = m.order
  const model = task.model && { model: task.model }
  const hop = (): Hop => {
    m.signal.throwIfAborted()
    const ms = Math.max(1, Math.min(ANSWER_DEADLINE_MS, deadline - Date.now()))
    return { ...ownHop(ms, m.signal), token: m.token() }
  }
  const mark = { [HOP.taskAttempt]: attemptText(task) }
  return {
    id: task.id,
    attempt: task.attempt,
    signal: m.signal,
    log: m.log,
    progress: m.progress,
    async ask(request) {
      const body = { ...model, ...request, class: 'task' as const, stream: true }
      const frames = m.calls.lines<Frame, Route>(ask, hop(), { body: body as never })
      const answer = await lastOf(frames)
      m.used(answer.usage)
      return answer
    },
    async embed(request) {
      const made = await m.calls.call(embed, hop(), { body: request })
      m.used(made.usage)
      return made
    },
    search: request => m.calls.call(searchKb, hop(), { body: request }),
    data: {
      async get(name) {
        const reply = await m.calls.raw(getObject, hop(), { params: { '*': name }, query: {} })
        if (reply.status >= 300) throw refusalFrom(reply.status, await reply.body.text())
        const pieces: Buffer[] = []
        let bytes = 0
        for await (const piece of reply.body) {
          bytes += (piece as Buffer).length
          if (bytes > MOST_OBJECT_BYTES)
            throw new TaskFailure(`The object ${name} is larger than a task may read at once (128 MiB).`)
          pieces.push(piece as Buffer)
        }
        return Buffer.concat(pieces)
      },
      async put(step, content, type = 'application/octet-stream') {
        const name = `${task.id}/${step}`
        await m.calls.call(putObject, hop(), {
          params: { '*': name },
          // An earlier attempt may have stored this step; what the living one stores counts.
          query: { replace: true },
          upload: content,
          headers: { ...mark, 'content-type': type },
        })
        return name
      },
    },
    putDocument: (kb, document) =>
      m.calls.call(putDocument, hop(), { params: { kb }, body: document, headers: mark }),
  }
}

async function lastOf(frames: AsyncIterable<Frame>): Promise<AskAnswer> {
  for await (const frame of frames) {
    if (frame.type === 'done') return frame.answer
    if (frame.type === 'error') throw refusalIn(frame)
  }
  throw new Refusal(502, 'cut', 'The answer ended before it was complete.')
}
