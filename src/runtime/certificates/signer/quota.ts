const MOST = 20
const HOUR_MS = 3_600_000

/** So many certificates a node may have of one name within an hour, or within a life that is shorter. */
export class Quota {
  readonly #times = new Map<string, number[]>()
  readonly #now: () => number

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** Seconds to wait; undefined where there is one left, which is taken. */
  take({ node, name, lifeMs }: { node: string; name: string; lifeMs: number }): number | undefined {
    const windowMs = Math.min(HOUR_MS, lifeMs)
    const now = this.#now()
    const key = `${node} ${name}`
    const recent = (this.#times.get(key) ?? []).filter(at => now - at < windowMs)
    this.#times.set(key, recent)
    if (recent.length >= MOST) return Math.ceil((windowMs - (now - recent[0]!)) / 1000)
    recent.push(now)
    return undefined
  }
}
