import type { Passage } from '../../../contracts/ask.ts'
import { reasonOf } from '../../../errors.ts'
import { Cancel, offAbort, onAbort, stopOf } from '../../cancel.ts'
import { type Hop, hopUntil, hopWith } from '../../hop.ts'
import { Refusal } from '../../refusal.ts'
import type { Input } from './input.ts'
import type { Asking } from './parts.ts'

/** An answer waits so long for knowledge. A store may stall for longer, and a model can answer without. */
export const KNOWLEDGE_MS = 8_000
const PASSAGES = 6
/** What the data service makes of a query beyond this is no better. */
const MOST_QUERY_CHARS = 4_000

export interface Known {
  passages: Passage[]
  notes: string[]
}

/**
 * What the knowledge bases say to a question. When they cannot be reached a model answers without them, which `notes` then says; the
 * extractive engine has nothing else to answer from, so its question is refused.
 */
export async function knownOf(input: Input, { hop, parts }: Asking, waitMs = KNOWLEDGE_MS): Promise<Known> {
  const { hop: part, ended, end } = within(hop, waitMs)
  const query = input.question.slice(0, MOST_QUERY_CHARS)
  try {
    const asked = { query, kb: input.kb, limit: PASSAGES }
    // Whoever is asked in this process need not listen to the end of a request.
    const { passages } = await Promise.race([parts.knowledge.search(asked, part), ended])
    return { passages, notes: [] }
  } catch (thrown) {
    if (stopOf(hop).aborted || !isAway(thrown)) throw thrown
    if (input.candidates.every(c => c.engine === 'extractive')) throw nothingToQuote(thrown)
    parts.log.warn({ requestId: hop.requestId, err: thrown }, 'an answer goes on without knowledge')
    return { passages: [], notes: [`Answered without knowledge, which cannot be reached: ${saidBy(thrown)}`] }
  } finally {
    end()
  }
}

/** The same request with less time; `ended` rejects when that is over, or the request. */
function within(hop: Hop, ms: number): { hop: Hop; ended: Promise<never>; end(): void } {
  const cancel = new Cancel()
  const whole = stopOf(hop)
  const stop = () => cancel.abort(whole.reason)
  const ended = new Promise<never>((_, reject) => cancel.add(() => reject(cancel.reason)))
  // Nobody may be listening any more.
  ended.catch(() => {})
  if (whole.aborted) stop()
  else onAbort(whole, stop)
  const late = new Refusal(504, 'deadline', `The data service did not answer within ${ms / 1000} s.`)
  const timer = setTimeout(() => cancel.abort(late), ms)
  return {
    hop: hopUntil(cancel, hopWith(hop, { deadline: Math.min(hop.deadline, Date.now() + ms) })),
    ended,
    end() {
      clearTimeout(timer)
      offAbort(whole, stop)
    },
  }
}

/** Not what the asker did wrong: those refusals stay what they are. */
const isAway = (thrown: unknown) => !(thrown instanceof Refusal) || thrown.status >= 500

const saidBy = (thrown: unknown) => (thrown instanceof Refusal ? thrown.message : reasonOf(thrown))

const nothingToQuote = (cause: unknown) =>
  new Refusal(
    503,
    'knowledge',
    `The engine that answers quotes knowledge alone, and knowledge cannot be reached: ${saidBy(cause)}`,
    {
      next: 'Try again in a moment; `llmagentos cluster status` says what is down.',
      retryAfterSeconds: 5,
      cause,
    },
  )
