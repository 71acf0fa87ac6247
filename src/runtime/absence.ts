/** A replica that took no connection is asked again after so long, by one request; the others go on elsewhere meanwhile. */
const AWAY_MS = 3_000

/** Whether a replica was away when it was last asked: then others are asked first. */
export class Absence {
  #until = 0

  get likely(): boolean {
    return this.#until > performance.now()
  }

  /** Whoever asks is the one that finds out. */
  asked(): void {
    if (this.#until > 0) this.begins()
  }

  begins(): void {
    this.#until = performance.now() + AWAY_MS
  }

  over(): void {
    this.#until = 0
  }
}

/** Replicas in their order, those that are likely away last. */
export function presentFirst<P extends { absence: Absence }>(peers: P[]): P[] {
  if (!peers.some(peer => peer.absence.likely)) return peers
  return peers.toSorted((a, b) => Number(a.absence.likely) - Number(b.absence.likely))
}
