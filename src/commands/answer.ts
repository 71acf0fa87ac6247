import type { Frame, Source } from '../contracts/ask.ts'
import { EXIT, Failure } from '../errors.ts'

/** A source as one line: its number in the text, where it stands, its title. */
export const sourceLine = (s: Source): string => `[${s.n}] ${s.kb}/${s.document}${where(s)}  ${s.title}`

/** What a question waits for, in a few words. */
export function stateText(frame: Extract<Frame, { type: 'state' }>): string {
  if (frame.state === 'queued') return `waiting, ${frame.position} before it`
  if (frame.state === 'loading')
    return frame.percent === undefined ? 'loading the model' : `loading the model, ${frame.percent} %`
  return 'reading'
}

/** Whose move it is: of whoever asked, when the question was refused; else of whoever runs the cluster. */
export function failureOf({ error }: Extract<Frame, { type: 'error' }>): Failure {
  const { status = 502 } = error
  const exit = status >= 400 && status < 500 && status !== 429 ? EXIT.usage : EXIT.unhealthy
  return new Failure(error.message, { exit, next: error.next })
}

function where({ position }: Source): string {
  if (position.page) return `, page ${position.page}`
  return position.line ? `:${position.line}` : ''
}
