import { STREAM_BEAT_MS } from '../../contracts/hop.ts'
import type { Visit } from './visit.ts'

const BEAT = { type: 'beat' }

export const isFrames = (answer: unknown): answer is AsyncIterable<object> =>
  typeof answer === 'object' && answer !== null && Symbol.asyncIterator in answer

/** The frames of a handler one by one, as a reader of its lines would get them. The handler goes on only when its reader asks for more. */
export class LocalFrames {
  readonly #visit: Visit
  readonly #frames: AsyncIterator<object>
  readonly #beat: NodeJS.Timeout
  #pending: Promise<IteratorResult<object>> | undefined
  #silent: (() => void) | undefined

  constructor(visit: Visit, frames: AsyncIterable<object>) {
    this.#visit = visit
    this.#frames = frames[Symbol.asyncIterator]()
    this.#beat = setInterval(() => this.#silent?.(), STREAM_BEAT_MS)
  }

  /** A copy of the next one, a beat in each silent second, undefined after the last. Throws what the handler throws, or why the visit was cut. */
  next(): Promise<object | undefined> {
    return this.#visit.unlessCut((resolve, reject) => {
      this.#silent = () => resolve({ ...BEAT })
      this.#pending ??= this.#frames.next()
      this.#pending.then(step => {
        this.#pending = undefined
        this.#beat.refresh()
        resolve(step.done ? undefined : JSON.parse(JSON.stringify(step.value)))
      }, reject)
    })
  }

  /** Its own cleanup is no business of a reader that has what it wants, or that wants no more. */
  leave(): void {
    clearInterval(this.#beat)
    this.#frames.return?.().catch(() => {})
  }
}
