import type { Disk } from './disk.ts'
import type { Script } from './script.ts'

export interface Layer {
  digest: string
  total: number
}

export interface Held {
  script: Script
  digest: string
  loaded: boolean
}

export interface OllamaStandIn {
  url: string
  port: number
  /** Adds or replaces a model. */
  set(name: string, script?: Script): void
  remove(name: string): void
  loaded(name: string): boolean
  /** What /api/pull can download: its layers, in `steps` progress lines each, `everyMs` apart. */
  library: Map<string, { layers: Layer[]; everyMs?: number; steps?: number; error?: string }>
  /** Bytes that came from another registry than the library. */
  taken: number
  /** Requests that are being answered. */
  live(): number
  /** Requests that their client gave up. */
  abandoned(): number
  /** All requests but the probes of state (version, tags, ps, show), in order. */
  requests: { path: string; body: Record<string, unknown> }[]
  version: string
  /** Takes requests and answers none, as a process that hangs. */
  hangs: boolean
  stop(): Promise<void>
}

export interface State {
  /** Models lie there as Ollama's do, and are there again after a start. */
  disk: Disk | undefined
  standIn: Omit<OllamaStandIn, 'url' | 'port' | 'stop'>
  models: Map<string, Held>
  /** Answers held back by `reorder`. */
  waiting: (() => void)[]
}

export const full = (name: string) => (/:[^/]*$/.test(name) ? name : `${name}:latest`)
