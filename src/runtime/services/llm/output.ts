import type { LlmConfig } from '../../../contracts/config.ts'
import { EXIT, Failure, reasonOf } from '../../../errors.ts'
import type { Metrics } from '../../metrics.ts'
import { Refusal } from '../../refusal.ts'
import type { Worked } from './inference.ts'
import { cleaned } from './input.ts'
import type { Parts } from './parts.ts'

/** Characters held back while patterns are configured: a match up to this long is seen although it came in pieces. */
const HELD_BACK = 256
const MASK = '[removed]'

/** Stage 4 of one answer: control characters out, configured patterns blocked or masked, length limited. */
export class Refinement {
  readonly #parts: Pick<Parts, 'filters' | 'maxAnswerChars'>
  #held = ''
  #sent = 0

  constructor(parts: Pick<Parts, 'filters' | 'maxAnswerChars'>) {
    this.#parts = parts
  }

  /** What becomes of one frame; nothing is given after an `end`. */
  take(frame: Worked): Worked[] {
    const { filters, maxAnswerChars } = this.#parts
    if (frame.type === 'text') {
      const { ready, rest } = filters.pass(this.#held + cleaned(frame.text))
      this.#held = rest
      const text = ready.slice(0, maxAnswerChars - this.#sent)
      this.#sent += ready.length
      return [...(ready ? [{ type: 'text' as const, text }] : []), ...this.#cutOff()]
    }
    if (frame.type !== 'end') return [frame]
    const text = filters.finish(this.#held)
    return text ? [{ type: 'text', text }, frame] : [frame]
  }

  #cutOff(): Worked[] {
    if (this.#sent < this.#parts.maxAnswerChars) return []
    const usage = { promptTokens: 0, completionTokens: Math.ceil(this.#sent / 4) }
    return [{ type: 'end', finish: 'length', usage }]
  }
}

export class OutputFilters {
  readonly #filters: { name: string; pattern: RegExp; act: 'block' | 'mask' }[]
  readonly #hit: (name: string, act: string) => void

  constructor(filters: LlmConfig['filters'], metrics: Metrics) {
    this.#filters = filters.map(f => ({ ...f, pattern: compiled(f) }))
    const hits = metrics.counter('llmagentos_filter_hits_total', 'Matches of output filters', [
      'filter',
      'act',
    ])
    this.#hit = (filter, act) => hits.inc({ filter, act })
  }

  /** What may go out now, and what waits for more text: the end, where a match may begin, and any match that reaches into it. */
  pass(text: string): { ready: string; rest: string } {
    if (this.#filters.length === 0) return { ready: text, rest: '' }
    let cut = Math.max(0, text.length - HELD_BACK)
    for (const { pattern } of this.#filters) {
      for (const match of text.matchAll(pattern)) {
        if (match.index < cut && match.index + match[0].length >= cut) cut = match.index
      }
    }
    return { ready: this.finish(text.slice(0, cut)), rest: text.slice(cut) }
  }

  finish(text: string): string {
    return this.#filters.reduce((out, f) => {
      return out.replace(f.pattern, () => {
        this.#hit(f.name, f.act)
        if (f.act === 'block')
          throw new Refusal(
            422,
            'filtered',
            `The answer was withheld: it matched the output filter ${f.name}.`,
          )
        return MASK
      })
    }, text)
  }
}

function compiled(f: LlmConfig['filters'][number]): RegExp {
  try {
    return new RegExp(f.pattern, 'giu')
  } catch (thrown) {
    throw new Failure(`The output filter ${f.name} is not a regular expression.`, {
      exit: EXIT.usage,
      why: reasonOf(thrown),
    })
  }
}
