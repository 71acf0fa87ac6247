import type { AskRequest, Message, Sampling } from '../../../contracts/ask.ts'
import { badRequest, Refusal } from '../../refusal.ts'
import type { Asking } from './parts.ts'
import type { Candidate } from './workers.ts'

const MAX_QUESTION_CHARS = 200_000
const MAX_MESSAGES_CHARS = 800_000

/** A request that the other stages can take as it is. */
export interface Input {
  /** What was asked last: the text that knowledge is searched with. */
  question: string
  /** The conversation that the caller sent, the question included; empty when it sent a plain question. */
  messages: Message[]
  /** A text that came with the question, to answer from. */
  material: string
  session?: string
  /** undefined = everything the user may read; [] = none. */
  kb?: string[]
  model: string
  candidates: Candidate[]
  class: 'interactive' | 'task'
  sampling: Sampling
}

/** Stage 1: cleans, normalises and limits what came in, and finds the workers that could answer it. */
export function understand(request: AskRequest, { who, hop, parts }: Asking): Input {
  if ((request.question === undefined) === (request.messages === undefined)) {
    throw badRequest('The request needs either `question` or `messages`, and not both.')
  }
  if (request.session && request.messages) {
    throw badRequest('A session keeps its own history: send `question` with it, not `messages`.')
  }
  const messages = (request.messages ?? []).map(m => ({ role: m.role, content: cleaned(m.content) }))
  const question = cleaned(request.question ?? messages.findLast(m => m.role === 'user')?.content ?? '')
  if (!question.trim())
    throw badRequest('The question is empty.', 'Ask something: llmagentos ask "how do I add a node?"')
  limit(question.length, MAX_QUESTION_CHARS, 'The question')
  limit(
    messages.reduce((n, m) => n + m.content.length, 0),
    MAX_MESSAGES_CHARS,
    'The conversation',
  )

  const { model, candidates } = parts.workers.candidates(request.model)
  if (who.models && !who.models.includes(model)) {
    throw new Refusal(403, 'model', `The key may not use the model ${model}.`, {
      next: `It may use: ${who.models.join(', ')}.`,
    })
  }
  return {
    question,
    messages,
    material: cleaned(request.material ?? ''),
    session: request.session,
    kb: knowledgeWanted(request, candidates),
    model,
    candidates,
    // The public side is interactive, whatever it says.
    class: hop.caller === 'executor' ? (request.class ?? 'task') : 'interactive',
    sampling: request.sampling ?? {},
  }
}

/** A conversation is used as it is; the extractive engine alone has nothing to answer from but knowledge. */
function knowledgeWanted(request: AskRequest, candidates: Candidate[]): string[] | undefined {
  if (request.kb) return request.kb
  if (request.material) return []
  if (request.question !== undefined) return undefined
  return candidates.every(c => c.engine === 'extractive') ? undefined : []
}

/** One form for equal texts, line ends as \n, and no control characters, which only a terminal or a log could misread. */
export function cleaned(text: string): string {
  // Most texts are plain, and have this form.
  if (/^[\n\t\x20-\x7e]*$/.test(text)) return text
  return text
    .normalize('NFC')
    .replace(/\r\n?/g, '\n')
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g, '')
}

function limit(chars: number, most: number, what: string): void {
  if (chars > most) {
    throw new Refusal(413, 'too_large', `${what} has ${chars} characters; ${most} are the most.`, {
      next: 'Add long material with `llmagentos kb add`, or give it to a `summarize` task.',
    })
  }
}
