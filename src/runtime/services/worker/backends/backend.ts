import type { EmbedAnswer } from '../../../../contracts/ask.ts'
import type { Model, PullFrame } from '../../../../contracts/models.ts'
import type { GenerateRequest, WorkerFrame } from '../../../../contracts/worker.ts'
import type { Ends } from '../../../cancel.ts'
import type { Sourced } from './ollama/pulls.ts'

/** What makes the text on a worker. */
export interface Backend {
  name: 'extractive' | 'ollama'
  /** As last seen; `workers` holds the name of this worker. */
  models(): Model[]
  /** The model for whoever names none; undefined when there is none that makes text. */
  defaultModel(): string | undefined
  /**
   * Ends with one `end` frame, or throws. A foreseen failure is a Refusal. Once it is ended it throws within moments and nothing of
   * the request is left running.
   */
  generate(request: GenerateRequest, o: Ends): AsyncIterable<WorkerFrame>
  embed?(request: EmbedTexts, o: { signal: AbortSignal }): Promise<EmbedAnswer>
  /** Progress, then one `done` frame, or throws. */
  pull?(name: string, o: { signal: AbortSignal; source?: Sourced }): AsyncIterable<PullFrame>
  removeModel?(name: string, o: { signal: AbortSignal }): Promise<void>
}

export interface EmbedTexts {
  model: string
  input: string[]
}
