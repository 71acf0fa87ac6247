/** Between two looks at a replica that is away. */
const LOOK_MS = 1_000

/**
 * Whether a replica was away when it was last asked: then others are asked first, until it says that it is ready again. It is looked after beside
 * the requests, so that none pays for finding out.
 */
export class Absence {
  readonly #isReady: () => Promise<boolean>
  #away = false
  #timer: NodeJS.Timeout | undefined

  constructor(isReady: () => Promise<boolean>) {
    this.#isReady = isReady
  }

  get likely(): boolean {
    return this.#away
  }

  begins(): void {
    this.#away = true
    this.#timer ??= setTimeout(() => void this.#look(), LOOK_MS).unref()
  }

  over(): void {
    this.#away = false
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  async #look(): Promise<void> {
    const timer = this.#timer
    const ready = await this.#isReady().catch(() => false)
    if (timer !== this.#timer) return
    this.over()
    if (!ready) this.begins()
  }
}

/** Replicas in their order, those that are likely away last. */
export function presentFirst<P extends { absence: Absence }>(peers: P[]): P[] {
  if (!peers.some(peer => peer.absence.likely)) return peers
  return peers.toSorted((a, b) => Number(a.absence.likely) - Number(b.absence.likely))
}
