const WINDOW_MS = 60_000
const SLICE_MS = 1_000

export interface Spent {
  requests: number
  tokens: number
}

interface Slice extends Spent {
  /** Start of the second that it counts. */
  at: number
}

interface Reservation {
  tokens: number
  until: number
}

/**
 * What one key spent in the last minute, in slices of a second: a slice counts until its last instant is a minute old, so never more than the
 * limit fits into any 60 s. At most 61 slices, and one reservation per open request.
 */
export class Window {
  readonly #slices: Slice[] = []
  readonly #open = new Set<Reservation>()

  spent(now: number): Spent {
    this.#drop(now)
    const spent = { requests: 0, tokens: 0 }
    for (const s of this.#slices) {
      spent.requests += s.requests
      spent.tokens += s.tokens
    }
    for (const r of this.#open) spent.tokens += r.tokens
    return spent
  }

  /** Counts one request now and its tokens until it is settled or `until` has passed. */
  reserve(now: number, reservation: Reservation): (now: number, realTokens: number) => void {
    this.#slice(now).requests += 1
    this.#open.add(reservation)
    let settled = false
    return (then, realTokens) => {
      if (settled) return
      settled = true
      this.#open.delete(reservation)
      this.#slice(then).tokens += Math.max(0, realTokens)
    }
  }

  /** Milliseconds until `fits` holds when nothing new comes: slices grow old, reservations reach their end. */
  msUntil(now: number, fits: (spent: Spent) => boolean): number {
    const spent = this.spent(now)
    const ends = [
      ...this.#slices.map(s => ({ at: endOf(s), requests: s.requests, tokens: s.tokens })),
      ...[...this.#open].map(r => ({ at: r.until, requests: 0, tokens: r.tokens })),
    ].sort((a, b) => a.at - b.at)
    for (const end of ends) {
      spent.requests -= end.requests
      spent.tokens -= end.tokens
      if (fits(spent)) return Math.min(WINDOW_MS, Math.max(0, end.at - now))
    }
    return WINDOW_MS
  }

  isEmpty(now: number): boolean {
    this.#drop(now)
    return this.#slices.length === 0 && this.#open.size === 0
  }

  #slice(now: number): Slice {
    const at = Math.floor(now / SLICE_MS) * SLICE_MS
    const last = this.#slices.at(-1)
    if (last && last.at >= at) return last
    const slice = { at, requests: 0, tokens: 0 }
    this.#slices.push(slice)
    return slice
  }

  #drop(now: number): void {
    while (this.#slices[0] && endOf(this.#slices[0]) <= now) this.#slices.shift()
    for (const r of this.#open) if (r.until <= now) this.#open.delete(r)
  }
}

const endOf = (slice: Slice) => slice.at + SLICE_MS + WINDOW_MS
