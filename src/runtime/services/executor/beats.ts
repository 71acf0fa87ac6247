import { EXECUTOR_BEAT_MS, executorBeat, type TaskClass } from '../../../contracts/tasks.ts'
import type { Log } from '../../../log.ts'
import { ownHop } from '../../hop.ts'
import type { Calls } from '../../transport.ts'
import type { Supervisor } from './supervisor.ts'

/** After a beat that reached nobody, the next comes sooner. */
const AGAIN_MS = 500

/** Tells every task service what runs here, each 5 s, and ends what it says is sealed. */
export function startBeats(o: {
  name: string
  boot: string
  slots: Partial<Record<TaskClass, number>>
  calls: Calls
  supervisor: Supervisor
  log: Log
}): () => void {
  let stopped = false
  let timer: NodeJS.Timeout
  const beat = async () => {
    const body = { executor: o.name, boot: o.boot, slots: o.slots as Record<string, number> }
    const replies = await Promise.allSettled(
      o.calls.peers('task').map(async peer => {
        const asked = { body: { ...body, running: o.supervisor.running }, peer }
        const reply = await o.calls.raw(executorBeat, ownHop(EXECUTOR_BEAT_MS), asked)
        return o.calls.read(executorBeat, reply)
      }),
    )
    for (const r of replies)
      if (r.status === 'fulfilled') for (const attempt of r.value.stop) o.supervisor.sealed(attempt)
    const heard = replies.some(r => r.status === 'fulfilled')
    if (!heard) o.log.debug({}, 'no task service heard the beat')
    if (!stopped) timer = setTimeout(() => void beat(), heard ? EXECUTOR_BEAT_MS : AGAIN_MS).unref()
  }
  void beat()
  return () => {
    stopped = true
    clearTimeout(timer)
  }
}
