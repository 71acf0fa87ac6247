import type { Log } from '../../../log.ts'
import type { Bus } from '../../bus/index.ts'
import { ownHop } from '../../hop.ts'
import type { Records } from '../../records.ts'
import { tellCompleted } from '../../tasks/events.ts'
import { Fence } from '../../tasks/fence.ts'
import { unfinished } from '../../tasks/limits.ts'
import { readRun } from '../../tasks/names.ts'
import { type ClaimRecord, parsed } from '../../tasks/records.ts'

const MAX_RUNNING = 10_000

/**
 * Seals at once what an older boot of this same executor had claimed, instead of leaving it to 30 s of silence. Only called where a lock lets
 * one executor of this name run at a time: that this one runs proves the older one dead. Should it live after all, the fence makes its ends
 * void as ever; only the time of sealing changes.
 */
export async function sealOlderBoots(o: {
  name: string
  boot: string
  records: Records
  bus: Bus
  log: Log
  signal?: AbortSignal
}): Promise<number> {
  const fence = new Fence(o.records)
  const hop = ownHop(undefined, o.signal)
  let count = 0
  for (const { name, value } of await o.records.list('run/', { limit: MAX_RUNNING, values: true }, hop)) {
    const attempt = readRun(name)
    if (!attempt || !value) continue
    const claim = parsed<ClaimRecord>(value)
    if (claim.executor !== o.name || claim.boot === o.boot) continue
    const task = await fence.record(attempt, claim, hop)
    if (task) {
      const end = unfinished(task, { counts: 'lost', reason: 'its executor was restarted', now: Date.now() })
      if ((await fence.end(attempt, end, hop)) === 'ended') count++
    }
    tellCompleted(o.bus, attempt, await fence.complete(attempt, claim, hop))
  }
  if (count > 0) o.log.info({ count }, 'sealed attempts of an older boot')
  return count
}
