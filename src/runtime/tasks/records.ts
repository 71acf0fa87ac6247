import type { Usage } from '../../contracts/ask.ts'
import type { Scope } from '../../contracts/identity.ts'
import { FINAL, type Outcome, type Priority, type Task, type Understood } from '../../contracts/tasks.ts'

/** How often attempts ended without a final end, by why: each has its own limit. */
export interface Tries {
  crashed: number
  errors: number
  lost: number
}

/** `q/` and `w/`: what was asked, as one attempt will find it. Everything an executor needs; never a token. */
export interface TaskRecord {
  id: string
  attempt: number
  user: string
  /** Id of the API key that submitted it, and what that key might do then. */
  key: string
  scopes: Scope[]
  kind: string
  params: object
  says: string
  by: Understood['by']
  priority: Priority
  model?: string
  retryOf?: string
  /** Unix milliseconds. */
  submitted: number
  expires?: number
  /** Set when this attempt had to wait: its name under `w/` follows from it. */
  notBefore?: number
  tries: Tries
}

/** `run/`: somebody has this attempt. `waiting`: it was taken from `w/`, under that time. */
export interface ClaimRecord {
  executor: string
  boot: string
  user: string
  priority: Priority
  waiting?: number
}

/** `x/.../e<N>`, the fence: how one attempt ended. */
export interface EndRecord {
  outcome: Outcome
  /** Unix milliseconds. */
  at: number
  reason?: string
  /** Why it is not final; decides which limit it counts against. */
  counts?: keyof Tries
  /** Unix milliseconds before which the next attempt must not start. */
  again?: number
  usage?: Usage
  result?: unknown
  /** How long the attempt ran, milliseconds. */
  ran?: number
}

/** `h/`: for lists. The result stays in the end record. */
export interface HistoryRecord {
  request: TaskRecord
  end: Omit<EndRecord, 'result'>
}

export const isFinal = (outcome: Outcome) => FINAL.includes(outcome)

/** A record of ours; whatever else lies there is a fault of ours and not of a caller. */
export const parsed = <T>(bytes: Buffer): T => JSON.parse(bytes.toString()) as T

/** What lists and `show` say of a task that has not ended. */
export function openTask(r: TaskRecord, state: 'waiting' | 'queued' | 'running'): Task {
  return { ...common(r), state }
}

export function endedTask(h: HistoryRecord): Task {
  return {
    ...common(h.request),
    state: h.end.outcome as Task['state'],
    ended: new Date(h.end.at).toISOString(),
    ...(h.end.reason !== undefined && { reason: h.end.reason }),
    ...(h.end.usage && { usage: h.end.usage }),
  }
}

function common(r: TaskRecord): Omit<Task, 'state'> {
  return {
    id: r.id,
    kind: r.kind,
    user: r.user,
    says: r.says,
    priority: r.priority,
    attempt: r.attempt,
    submitted: new Date(r.submitted).toISOString(),
    ...(r.retryOf && { retryOf: r.retryOf }),
  }
}
