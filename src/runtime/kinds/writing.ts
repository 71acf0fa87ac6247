import type { AskAnswer, Sampling } from '../../contracts/ask.ts'
import { TaskFailure, type Tools } from './kind.ts'

interface Order {
  /** The kind, for the words of a failure. */
  kind: string
  system: string
  user: string
  model?: string
  sampling?: Sampling
}

/** What the engine that only quotes is called. */
export const QUOTING = 'extractive'

/** Lets a language model write. On an engine that only quotes it fails clearly, for another try would meet the same. */
export async function write(tools: Tools, o: Order): Promise<AskAnswer> {
  const answer = await tools.ask({
    messages: [
      { role: 'system', content: o.system },
      { role: 'user', content: o.user },
    ],
    kb: [],
    ...(o.model && { model: o.model }),
    sampling: o.sampling ?? {},
  })
  if (answer.engine === QUOTING) throw needsModel(o.kind)
  return answer
}

export const needsModel = (kind: string) =>
  new TaskFailure(`The kind ${kind} needs a language model, and this cluster answers by quoting only.`, {
    next: 'Give it a model with `llmagentos cluster up --model NAME`, then `llmagentos task retry`.',
  })
