import { setTimeout as sleep } from 'node:timers/promises'
import type { Task, WatchFrame } from '../../contracts/tasks.ts'
import { EXIT, type ExitCode, Failure } from '../../errors.ts'
import type { Client } from '../../runtime/client/index.ts'
import type { Io } from '../command.ts'

/** A cluster that restarts is waited for so long before the watching gives up. */
const AWAY_MS = 60_000
const AGAIN_MS = 500

/** Exit codes for the end of a task. */
const FATES: Partial<Record<Task['state'], ExitCode>> = {
  done: EXIT.ok,
  failed: EXIT.unhealthy,
  dead: EXIT.unhealthy,
  cancelled: EXIT.interrupted,
  expired: EXIT.deadline,
}

export const exitFor = (task: Task): ExitCode => FATES[task.state] ?? EXIT.ours

/** Each change of a task until it has ended, over restarts of the cluster; the last frame is the ended task. */
export async function* follow(client: Client, id: string, io: Io): AsyncGenerator<WatchFrame> {
  const { watchTask } = await import('../../contracts/tasks.ts')
  let lost: number | undefined
  for (;;) {
    try {
      for await (const frame of client.lines<WatchFrame>(watchTask, { params: { id } as never })) {
        lost = undefined
        if (frame.type === 'error') break
        yield frame
        if (frame.type === 'task' && frame.task.ended) return
      }
    } catch (thrown) {
      io.signal.throwIfAborted()
      if (!isAway(thrown)) throw thrown
      lost ??= performance.now()
      if (performance.now() - lost > AWAY_MS) throw thrown
    }
    await sleep(AGAIN_MS, undefined, { signal: io.signal })
  }
}

const AWAY: ExitCode[] = [EXIT.unhealthy, EXIT.deadline, EXIT.unreachable]

const isAway = (thrown: unknown) =>
  thrown instanceof Failure &&
  AWAY.includes(thrown.exit) &&
  // A refused key has the exit code of an unreachable gateway, and waiting does not mend it.
  !(thrown.cause instanceof Error && 'status' in thrown.cause && Number(thrown.cause.status) < 500)

/** Follows to the end, saying on the way what changes; returns the ended task. */
export async function awaitEnd(client: Client, id: string, o: { json: boolean; io: Io }): Promise<Task> {
  let last: Task | undefined
  for await (const frame of follow(client, id, o.io)) {
    if (frame.type === 'task') last = frame.task
    const line = o.json ? undefined : lineOf(frame)
    if (line) o.io.say(line)
  }
  return last!
}

export function lineOf(frame: WatchFrame): string | undefined {
  if (frame.type === 'progress') return frame.text
  return frame.type === 'task' ? stateLine(frame.task) : undefined
}

export function stateLine(task: Task): string {
  const place =
    task.position === undefined
      ? ''
      : `, ${task.position} before it${task.expectedWaitMs ? `, about ${seconds(task.expectedWaitMs)}` : ''}`
  const attempt = task.attempt > 1 ? `, attempt ${task.attempt}` : ''
  return `${task.state}${attempt}${place}${task.reason ? `: ${task.reason}` : ''}`
}

const seconds = (ms: number) => `${Math.max(1, Math.round(ms / 1000))} s`
