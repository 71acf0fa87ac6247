/** What waits: `rank` orders it within its user's backlog (smaller first), `cost` is what it is thought to take. */
export interface Entry {
  key: string
  user: string
  rank: number
  cost: number
  /** Entries of one `alone` run one at a time. */
  alone?: string
}

interface Lane {
  /** Virtual time at which this user's last entry finishes. */
  finish: number
  entries: Entry[]
}

export interface Rules {
  /** Entries of the user that were given out and have not ended. */
  held(user: string): number
  /** How many may run at a time. */
  slots: number
  /** Most that a user alone may have given out, so that a newcomer finds room. */
  window: number
  /** False: not now, e.g. because its `alone` key is taken. */
  may(entry: Entry): boolean
}

/**
 * Start-time fair queueing over users: next is the smallest S = max(V, F); V = S, F = S + cost. Who was idle banks nothing. Pure: no clock, no
 * store.
 */
export class FairQueue {
  #virtual = 0
  readonly #lanes = new Map<string, Lane>()
  readonly #keys = new Map<string, Entry>()

  get size(): number {
    return this.#keys.size
  }

  add(entry: Entry): void {
    if (this.#keys.has(entry.key)) return
    this.#keys.set(entry.key, entry)
    const lane = this.#lanes.get(entry.user) ?? { finish: 0, entries: [] }
    this.#lanes.set(entry.user, lane)
    const at = lane.entries.findLastIndex(e => before(e, entry))
    lane.entries.splice(at + 1, 0, entry)
  }

  remove(key: string): Entry | undefined {
    const entry = this.#keys.get(key)
    if (!entry) return undefined
    this.#keys.delete(key)
    const lane = this.#lanes.get(entry.user)!
    lane.entries.splice(lane.entries.indexOf(entry), 1)
    this.#forget(entry.user, lane)
    return entry
  }

  /** Takes out the next one, or nothing when nobody may go now. */
  next(rules: Rules): Entry | undefined {
    const others = [...this.#lanes.values()].filter(l => l.entries.length > 0).length > 1
    const most = others ? Math.max(1, Math.floor(rules.slots / 2)) : rules.window
    let best: { entry: Entry; start: number } | undefined
    for (const [user, lane] of this.#lanes) {
      if (rules.held(user) >= most) continue
      const entry = lane.entries.find(rules.may)
      if (!entry) continue
      const start = Math.max(this.#virtual, lane.finish)
      if (!best || start < best.start || (start === best.start && before(entry, best.entry)))
        best = { entry, start }
    }
    if (!best) return undefined
    const lane = this.#lanes.get(best.entry.user)!
    this.#virtual = best.start
    lane.finish = best.start + best.entry.cost
    this.#keys.delete(best.entry.key)
    lane.entries.splice(lane.entries.indexOf(best.entry), 1)
    return best.entry
  }

  /** What an entry really took, once known: its user's next start moves by the difference. */
  correct(user: string, predicted: number, real: number): void {
    const lane = this.#lanes.get(user)
    if (!lane) return
    lane.finish += real - predicted
    this.#forget(user, lane)
  }

  /** How many go before it in the fair order as it stands; undefined: it does not wait here. */
  position(key: string): number | undefined {
    const entry = this.#keys.get(key)
    if (!entry) return undefined
    const target = this.#start(this.#lanes.get(entry.user)!, entry)
    let count = 0
    for (const lane of this.#lanes.values()) {
      let start = Math.max(this.#virtual, lane.finish)
      for (const other of lane.entries) {
        if (other === entry) break
        if (start > target || (start === target && !before(other, entry))) break
        count++
        start += other.cost
      }
    }
    return count
  }

  #start(lane: Lane, entry: Entry): number {
    let start = Math.max(this.#virtual, lane.finish)
    for (const other of lane.entries) {
      if (other === entry) break
      start += other.cost
    }
    return start
  }

  /** A user with nothing waiting whose time has passed is as one who never was. */
  #forget(user: string, lane: Lane): void {
    if (lane.entries.length === 0 && lane.finish <= this.#virtual) this.#lanes.delete(user)
  }
}

const before = (a: Entry, b: Entry) => a.rank < b.rank || (a.rank === b.rank && a.key < b.key)
