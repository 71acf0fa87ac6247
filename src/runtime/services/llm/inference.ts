import { generate, type WorkerFrame } from '../../../contracts/worker.ts'
import { stopOf } from '../../cancel.ts'
import { hopWith } from '../../hop.ts'
import { Refusal, refusalIn } from '../../refusal.ts'
import type { Context } from './context.ts'
import type { Asking } from './parts.ts'
import type { Candidate } from './workers.ts'

/** A worker and two others: whoever fails three times has a fault that a fourth worker shares. */
const MOST_WORKERS = 3

export type Worked = Exclude<WorkerFrame, { type: 'error' } | { type: 'beat' }> & { worker?: Candidate }

/**
 * Stage 3: one worker makes the text. Another is tried only before the first token came, and only as long as retries stay under a tenth
 * of all requests; after it a failure is thrown, so that a cut answer never looks complete.
 */
export async function* infer(context: Context, { hop, parts }: Asking): AsyncGenerator<Worked> {
  parts.workers.asked()
  const tried: Candidate[] = []
  for (;;) {
    const worker = parts.workers.choose(context.candidates, tried)
    tried.push(worker)
    let spoke = false
    const release = parts.workers.sent(worker)
    try {
      const frames = parts.calls.lines<WorkerFrame>(
        generate,
        hopWith(hop, { token: undefined, attempt: tried.length }),
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
        yield frame.type === 'end' ? { ...frame, worker } : frame
        if (frame.type === 'end') return
      }
      throw new Refusal(502, 'cut', `The answer of worker ${worker.name} was cut.`)
    } catch (thrown) {
      const over = spoke || stopOf(hop).aborted || !worthAnother(thrown) || tried.length >= MOST_WORKERS
      if (over || !parts.workers.mayRetry(context.candidates, tried)) throw thrown
      parts.log.warn(
        { requestId: hop.requestId, worker: worker.name, err: thrown },
        'worker failed before its first token; trying another',
      )
    } finally {
      release()
    }
  }
}

/** What the caller did wrong stays wrong on every worker; a full line or a fault need not. */
const worthAnother = (thrown: unknown) =>
  !(thrown instanceof Refusal) || thrown.status >= 500 || thrown.status === 429
