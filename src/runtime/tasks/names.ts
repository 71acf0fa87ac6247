import { createHash } from 'node:crypto'
import { FINAL, type Outcome, PRIORITIES, type Priority } from '../../contracts/tasks.ts'
import { dayOf, inverted } from './ids.ts'

/** The names of task records (RUNTIME section 2). Nothing else makes or reads such a name. */
export interface Attempt {
  id: string
  /** N, from 1. */
  attempt: number
}
export interface Place extends Attempt {
  user: string
  priority: Priority
}

const ID = '[0-9A-HJKMNP-TV-Z]{26}(?:-[0-9]+)?'
const PLACE = new RegExp(`^([^/]+)/([0-2])/(${ID})\\.([0-9]+)$`)
const ATTEMPT = new RegExp(`^(${ID})\\.([0-9]+)$`)
const ENDED = new RegExp(`^h/([^/]+)/(${ID})\\.([a-z]+)$`)

export const attemptText = (a: Attempt) => `${a.id}.${a.attempt}`

const place = (p: Place) => `${p.user}/${PRIORITIES.indexOf(p.priority)}/${attemptText(p)}`

export const idemName = (user: string, key: string) =>
  `idem/${user}/${createHash('sha256').update(key).digest('hex')}`
export const queuedName = (p: Place) => `q/${place(p)}`
/** A waiting record lies under the minute it is due in, so that a list from the front finds what is due. */
export const waitingName = (p: Place, notBefore: number) => `w/${minute(notBefore)}/${place(p)}`
export const runName = (a: Attempt) => `run/${attemptText(a)}`
export const endPrefix = (id: string) => `x/${dayOf(id)}/${id}/e`
export const endName = (a: Attempt) => `${endPrefix(a.id)}${a.attempt}`
export const historyPrefix = (user: string, id: string) => `h/${user}/${inverted(id)}.`
export const historyName = (user: string, id: string, outcome: Outcome) => historyPrefix(user, id) + outcome

/** Undefined for a name that is not of this shape. */
export function readQueued(name: string): Place | undefined {
  return name.startsWith('q/') ? readPlace(name.slice(2)) : undefined
}

export function readWaiting(name: string): (Place & { minute: string }) | undefined {
  const [, minute, rest] = /^w\/([0-9]{12})\/(.*)$/.exec(name) ?? []
  const found = rest ? readPlace(rest) : undefined
  return found && { ...found, minute: minute! }
}

export function readRun(name: string): Attempt | undefined {
  return name.startsWith('run/') ? readAttempt(name.slice(4)) : undefined
}

export function readAttempt(text: string): Attempt | undefined {
  const [, id, n] = ATTEMPT.exec(text) ?? []
  return id ? { id, attempt: Number(n) } : undefined
}

export function readHistory(name: string): { user: string; id: string; outcome: Outcome } | undefined {
  const [, user, id, state] = ENDED.exec(name) ?? []
  const outcome = FINAL.find(f => f === state)
  return user && id && outcome ? { user, id: inverted(id), outcome } : undefined
}

/** `YYYYMMDDHHmm`, UTC. */
export const minute = (ms: number) => new Date(ms).toISOString().slice(0, 16).replace(/[-T:]/g, '')

function readPlace(text: string): Place | undefined {
  const [, user, p, id, n] = PLACE.exec(text) ?? []
  const priority = PRIORITIES[Number(p)]
  return user && id && priority ? { user, priority, id, attempt: Number(n) } : undefined
}
