import { ownHop } from '../../hop.ts'
import { tell } from '../../tasks/events.ts'
import { minute } from '../../tasks/names.ts'
import { parsed, type TaskRecord } from '../../tasks/records.ts'
import { listQueued } from './backlog.ts'
import { every, type Parts } from './parts.ts'

const LOOK_MS = 1_000

/** Queues what waited under `w/` once it is due. Several may do so at once: all of it can be repeated. */
export function moveDue(o: Parts): () => Promise<void> {
  const due = new Map<string, number>()
  return every(LOOK_MS, o.log, 'looking for what is due', async signal => {
    const hop = ownHop(undefined, signal)
    const seen = new Set<string>()
    for await (const { name, place } of listQueued(o.records, 'w/', hop)) {
      // Names begin with the minute, so nothing behind this one is due either.
      if (name.slice(2, 14) > minute(Date.now())) break
      seen.add(name)
      if (!due.has(name)) {
        const found = await o.records.get(name, hop)
        if (found) due.set(name, parsed<TaskRecord>(found).notBefore ?? 0)
      }
      if ((due.get(name) ?? Number.POSITIVE_INFINITY) > Date.now()) continue
      const queued = await o.fence.due(name, hop)
      if (queued) tell(o.bus, 'queued', place.id, { name: queued })
    }
    for (const name of due.keys()) if (!seen.has(name)) due.delete(name)
  })
}
