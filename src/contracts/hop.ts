/** Headers that every call between services carries. */
export const HOP = {
  /** One id through all services, logs and the answer. */
  requestId: 'x-request-id',
  /** Absolute, Unix milliseconds: past it nobody needs the answer. */
  deadline: 'x-deadline',
  /** 1 for the first try of a worker, more for the others. */
  attempt: 'x-attempt',
  /** Which service calls. Believed only on a unix socket in a 0700 folder; across machines the certificate says it. */
  caller: 'x-caller',
  /** Random per create: who repeats it after an unknown outcome recognises its own record. */
  writer: 'x-writer',
  /** `<task id>.<N>`: a write by a running task; data refuses it once that attempt has ended or was given away. */
  taskAttempt: 'x-task-attempt',
  /** In a refusal: nothing was begun, and another replica may be able to. Whoever can ask one does, whatever the request is. */
  nothingBegun: 'x-nothing-begun',
  /** In a refusal: a connection broke under the request, and nobody knows what became of it. Who may send it again does (`repeats` of its route). */
  outcomeUnknown: 'x-outcome-unknown',
} as const

/** What clients outside send along, too, so that what they repeat after an unknown outcome is done once. */
export const REPEAT_KEY = 'idempotency-key'

/** Milliseconds that a call may take when its caller set no deadline. */
export const DEFAULT_DEADLINE_MS = 30_000
/** Longest life of one interactive answer, streams included. */
export const ANSWER_DEADLINE_MS = 10 * 60_000
/** Longest time that a model may take to come, from the internet or from another machine. */
export const MODEL_DEADLINE_MS = 24 * 3_600_000
/** A stream without a frame for so long is dead; senders put one out each second. */
export const STREAM_SILENCE_MS = 4_000
export const STREAM_BEAT_MS = 1_000
