import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { EXIT, Failure, reasonOf } from '../../errors.ts'
import { Cut } from '../connections/carrier.ts'
import type { Connection } from '../connections/connection.ts'
import { Heartbeat } from './heartbeat.ts'
import { ask, type Told } from './lease.ts'
import { type Holder, lockedBy } from './locked.ts'

export type { Holder } from './locked.ts'

export interface TakeOptions {
  /** `user@host` */
  who: string
  /** `cluster up` */
  doing: string
  /** How long to wait for whoever holds it; 0 = not at all. */
  waitMs: number
  signal?: AbortSignal
  /** The number is higher than this one too: the highest fence that a node is known to have. Control nodes may have lost theirs. */
  above?: number
  /** Called once for each holder that is waited for. */
  onWait?(holder: Holder): void
}

export interface Lock {
  /** Higher than those of all earlier holders. */
  number: number
  /** Aborts, with a Failure (7) as its reason, when a majority has not confirmed the lock for 40 s, or it was taken away. */
  signal: AbortSignal
  release(): Promise<void>
}

const PAUSE_MS = 1_000
const GIVE_BACK_MS = 10_000

/**
 * The lease of a majority of the control nodes, which are always asked in the same order, so that of many who ask at once the first one
 * wins. Throws Failure: 7 with the holder's name, 4 when no majority answers, 130.
 */
export async function takeLock(control: Connection[], o: TakeOptions): Promise<Lock> {
  const mine: Mine = { id: randomBytes(12).toString('hex'), at: new Set() }
  const end = performance.now() + o.waitMs
  let waitedFor: string | undefined
  for (let tries = 1; ; tries++) {
    const { held, number, holder, silent } = await takeAll(control, mine, o)
    if (!holder && held.size >= majority(control)) {
      const lock = await begin(held, mine, {
        ...o,
        majority: majority(control),
        number: Math.max(number, o.above ?? 0) + 1,
      })
      if (lock) return lock
    }
    await giveBack(mine)
    if (o.signal?.aborted) throw interrupted(o.signal)
    if (!holder && silent.length > control.length - majority(control)) throw noMajority(control, silent)
    if (performance.now() + PAUSE_MS > end && (holder || tries > 3)) throw lockedFailure(holder)
    if (holder && lockedBy(holder) !== waitedFor) o.onWait?.(holder)
    waitedFor = holder && lockedBy(holder)
    await sleep(PAUSE_MS * (0.5 + Math.random()), undefined, { signal: o.signal }).catch(() => {})
  }
}

/** Who holds it, undefined when nobody does. Writes nothing. Throws Failure (4) when no majority answers. */
export async function lockHolder(control: Connection[]): Promise<Holder | undefined> {
  const answers = await Promise.allSettled(control.map(on => ask(on, { verb: 'show' })))
  const told = tell(control, answers)
  return told.find(answer => answer.is === 'theirs')?.holder
}

/** Takes the lock away from whoever holds it, and says who that was: its run starts no more steps once its next heartbeat fails. */
export async function releaseLock(
  control: Connection[],
  o: { signal?: AbortSignal } = {},
): Promise<Holder | undefined> {
  const answers = await Promise.allSettled(control.map(on => ask(on, { verb: 'force' }, o)))
  if (o.signal?.aborted) throw interrupted(o.signal)
  return tell(control, answers).find(answer => answer.is === 'theirs')?.holder
}

/** A lease's id, and where one with it may be. */
interface Mine {
  id: string
  at: Set<Connection>
}

interface Taken {
  /** When each was asked, by the monotonic clock. */
  held: Map<Connection, number>
  number: number
  holder?: Holder
  silent: string[]
}

async function takeAll(control: Connection[], mine: Mine, o: TakeOptions): Promise<Taken> {
  const taken: Taken = { held: new Map(), number: 0, silent: [] }
  for (const on of control) {
    if (o.signal?.aborted) break
    const asked = performance.now()
    mine.at.add(on)
    try {
      const told = await ask(
        on,
        { verb: 'take', id: mine.id, who: o.who, doing: o.doing },
        { signal: o.signal },
      )
      if (told.is === 'ours') {
        taken.held.set(on, asked)
        taken.number = Math.max(taken.number, told.number)
      } else mine.at.delete(on)
      if (told.is === 'theirs') return { ...taken, holder: told.holder }
    } catch (thrown) {
      if (!(thrown instanceof Failure)) throw thrown
      taken.silent.push(`${on.node}: ${reasonOf(thrown)}`)
      // It was never asked, so there is nothing to give back, and nothing to wait for once more.
      if (thrown.exit === EXIT.unreachable && !(thrown instanceof Cut)) mine.at.delete(on)
    }
  }
  return taken
}

/** The number counts once a majority has stored it; undefined when too few still hold our lease. */
async function begin(
  held: Map<Connection, number>,
  mine: Mine,
  o: { majority: number; number: number; signal?: AbortSignal },
): Promise<Lock | undefined> {
  const heartbeat = new Heartbeat(held, { id: mine.id, majority: o.majority })
  const stored = await Promise.allSettled(
    [...held.keys()].map(on =>
      ask(on, { verb: 'number', id: mine.id, number: o.number }, { signal: o.signal }),
    ),
  )
  const kept = stored.filter(end => end.status === 'fulfilled' && end.value.is === 'ours')
  if (kept.length < o.majority) {
    await heartbeat.stop()
    return undefined
  }
  return {
    number: o.number,
    signal: heartbeat.signal,
    async release() {
      await heartbeat.stop()
      await giveBack(mine)
    },
  }
}

/** What cannot be given back becomes free by itself. */
async function giveBack({ id, at }: Mine): Promise<void> {
  const signal = AbortSignal.timeout(GIVE_BACK_MS)
  await Promise.allSettled([...at].map(on => ask(on, { verb: 'release', id }, { signal })))
}

function interrupted({ reason }: AbortSignal): Failure {
  return reason instanceof Failure
    ? reason
    : new Failure('Interrupted: the lock was not taken.', { exit: EXIT.interrupted })
}

function tell(control: Connection[], answers: PromiseSettledResult<Told>[]): Told[] {
  const told = answers.flatMap(end => (end.status === 'fulfilled' ? [end.value] : []))
  if (told.length >= majority(control)) return told
  throw noMajority(
    control,
    answers.flatMap((end, i) =>
      end.status === 'rejected' ? [`${control[i]!.node}: ${reasonOf(end.reason)}`] : [],
    ),
  )
}

const majority = (control: Connection[]) => Math.floor(control.length / 2) + 1

function noMajority(control: Connection[], silent: string[]): Failure {
  return new Failure('The lock needs a majority of the control nodes, and too few answer.', {
    exit: EXIT.unreachable,
    why: silent.join('; '),
    next: `Bring back at least ${majority(control)} of ${control.map(on => on.node).join(', ')}.`,
  })
}

function lockedFailure(holder: Holder | undefined): Failure {
  return new Failure(
    holder ? `${holder.who} holds the lock of the cluster.` : 'The lock of the cluster was not got.',
    {
      exit: EXIT.locked,
      why: holder
        ? `since ${holder.since}: ${holder.doing}`
        : 'others were taking the lock at the same moment',
      next: 'Wait for it (--lock-wait 10m waits by itself). A lock whose owner is gone is free within a minute.',
    },
  )
}
