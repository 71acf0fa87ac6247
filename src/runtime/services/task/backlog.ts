import type { Hop } from '../../hop.ts'
import type { Records } from '../../records.ts'
import { placeOf } from '../../tasks/fence.ts'
import { type Attempt, type Place, readRun } from '../../tasks/names.ts'

const PAGE = 1_000
/** More run at a time than any cluster of ours has slots. */
const MAX_RUNNING = 10_000

/** The names of queued or waiting records under a prefix, in name order. */
export async function* listQueued(
  records: Records,
  prefix: string,
  hop: Hop,
): AsyncGenerator<{ name: string; place: Place }> {
  let after: string | undefined
  for (;;) {
    const page = await records.list(prefix, { after, limit: PAGE }, hop)
    for (const { name } of page) {
      const place = placeOf(name)
      if (place) yield { name, place }
    }
    if (page.length < PAGE) return
    after = page.at(-1)!.name
  }
}

export async function listRunning(records: Records, hop: Hop): Promise<Attempt[]> {
  const found = await records.list('run/', { limit: MAX_RUNNING }, hop)
  return found.map(f => readRun(f.name)).filter(a => a !== undefined)
}
