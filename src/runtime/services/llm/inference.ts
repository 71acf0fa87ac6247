import { generate, type WorkerFrame } from '../../../contracts/worker.ts'
import { stopOf } from '../../cancel.ts'
import { hopWith } from '../../hop.ts'
import { Refusal, refusalIn } from '../../refusal.ts'
import type { Context } from './context.ts'
import type { Asking } from './parts.ts'
import type { Candidate } from './workers.ts'

/** A worker and two others: whoever fails three times has a fault that a fourth worker shares. */
const MOST_WORKERS = 3
/** What an answer is thought to take whose length its caller did not limit. */
const ANSWER_TOKENS = 512

export type Worked = Exclude<WorkerFrame, { type: 'error' } | { type: 'beat' }> & { worker?: Candidate }

/**
 * Stage 3: one worker makes the text. Another is tried only before the first token came, and only as long as retries stay under a tenth
 * of all requests; after it a failure is thrown, so that a cut answer never looks complete.
 */
export async function* infer(context: Context, { who, hop, parts }: Asking): AsyncGenerator<Worked> {
  parts.workers.asked()
  const tried: Candidate[] = []
  const arrival = parts.line.arrive()
  for (;;) {
    const ticket = parts.line.enter({
      user: who.user,
      class: context.class,
      cost: expectedTokens(context),
      candidates: context.candidates.filter(c => !tried.includes(c)),
      stop: stopOf(hop),
      arrival,
    })
    let spoke = false
    let tokens = 0
    try {
      for await (const position of ticket.wait()) yield { type: 'state', state: 'queued', position }
      const worker = ticket.worker!
      const frames = parts.calls.lines<WorkerFrame>(
        generate,
        hopWith(hop, { token: undefined, attempt: tried.length + 1 }),
        {
          peer: worker.peer,
          body: {
            model: worker.model,
            messages: context.prompt,
            passages: context.passages,
            class: context.class,
            sampling: context.sampling,
          },
        },
      )
      for await (const frame of frames) {
        if (frame.type === 'error') throw refusalIn(frame)
        if (frame.type === 'beat') continue
        spoke ||= frame.type === 'text'
        if (frame.type === 'end') tokens = frame.usage.promptTokens + frame.usage.completionTokens
        yield frame.type === 'end' ? { ...frame, worker } : frame
        if (frame.type === 'end') return
      }
      throw new Refusal(502, 'cut', `The answer of worker ${worker.name} was cut.`)
    } catch (thrown) {
      const { worker } = ticket
      if (!worker || spoke || stopOf(hop).aborted) throw thrown
      if (isFull(thrown)) {
        parts.workers.full(worker)
        continue
      }
      tried.push(worker)
      const over = !worthAnother(thrown) || tried.length >= MOST_WORKERS
      if (over || !parts.workers.mayRetry(context.candidates, tried)) throw thrown
      parts.log.warn(
        { requestId: hop.requestId, worker: worker.name, err: thrown },
        'worker failed before its first token; trying another',
      )
    } finally {
      ticket.leave(tokens)
    }
  }
}

/** Somebody else fills it: the request goes back into our line, and keeps its place. An Ollama that is busy by itself is another matter (503). */
const isFull = (thrown: unknown) =>
  thrown instanceof Refusal && thrown.status === 429 && thrown.code === 'busy'

/** What the caller did wrong stays wrong on every worker; a fault need not. */
const worthAnother = (thrown: unknown) => !(thrown instanceof Refusal) || thrown.status >= 500

function expectedTokens({ prompt, sampling }: Context): number {
  const chars = prompt.reduce((n, m) => n + m.content.length, 0)
  return Math.ceil(chars / 4) + (sampling.maxTokens ?? ANSWER_TOKENS)
}
