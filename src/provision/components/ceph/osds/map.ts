/** What the mons know of an OSD. */
export interface KnownOsd {
  id: number
  uuid: string
  up: boolean
  in: boolean
  /** It never ran. */
  fresh: boolean
  /** It was given up, and its id waits for another disk. */
  destroyed: boolean
}

/** From the answer to `osd dump`. */
export function osdsIn(dump: unknown): KnownOsd[] {
  const osds = (dump as { osds?: unknown }).osds
  if (!Array.isArray(osds)) throw new Error('it tells no OSDs')
  return osds.map(one => ({
    id: Number(one.osd),
    uuid: String(one.uuid),
    up: one.up === 1,
    in: one.in === 1,
    fresh: one.state.includes('new'),
    destroyed: one.state.includes('destroyed'),
  }))
}
