import type { Hop } from '../../hop.ts'
import type { Records } from '../../records.ts'
import { names, Sets } from './sets.ts'

const PAGE = 1_000

/** Everything that the store holds for auth. Each page of the list gets a hop of its own. */
export async function readSets(records: Records, hop: () => Hop): Promise<Sets> {
  const sets = new Sets()
  let after: string | undefined
  for (;;) {
    const page = await records.list(names.prefix, { after, limit: PAGE, values: true }, hop())
    for (const { name, value } of page) if (value) sets.add(name, JSON.parse(value.toString()))
    if (page.length < PAGE) return sets
    after = page.at(-1)!.name
  }
}
