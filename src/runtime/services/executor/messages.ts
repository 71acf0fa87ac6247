import type { Usage } from '../../../contracts/ask.ts'
import type { Address, TlsFiles } from '../../../contracts/config.ts'

/** What the supervisor tells a child. The token comes this way alone, never by argument or environment. */
export type ToChild =
  | {
      type: 'run'
      task: ChildTask
      token: string
      services: Record<string, Address[]>
      tls?: TlsFiles
      /** Absolute, Unix milliseconds. */
      deadline: number
    }
  | { type: 'token'; token: string }
  | { type: 'abort'; reason: string }

export interface ChildTask {
  id: string
  attempt: number
  kind: string
  params: object
  model?: string
}

export type FromChild =
  | { type: 'ready' }
  | { type: 'progress'; text: string }
  | { type: 'log'; level: 'debug' | 'info' | 'warn' | 'error'; fields: object; says: string }
  | { type: 'end'; end: ChildEnd }

/** How a child says its attempt ended. `again`: another try may go better. */
export type ChildEnd =
  | { is: 'done'; result: unknown; usage: Usage }
  | { is: 'failed'; reason: string; usage: Usage }
  | { is: 'again'; reason: string; afterMs?: number; usage: Usage }
