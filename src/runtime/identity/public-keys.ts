import { Refusal } from '../refusal.ts'
import { type CryptoKey, importKey, type JWK } from './tokens.ts'

const REFRESH_MS = 60_000
/** An unknown key id asks again at most so often: a forged token must not become a flood of questions. */
const MIN_GAP_MS = 500

/** The public signing keys of auth, fetched when an unknown one turns up. The next one is published before use, so that is rare. */
export class PublicKeys {
  readonly #fetch: () => Promise<Record<string, unknown>[]>
  readonly #now: () => number
  #keys = new Map<string, CryptoKey>()
  #refreshing: Promise<void> | undefined
  #asked = Number.NEGATIVE_INFINITY
  #fetched = Number.NEGATIVE_INFINITY

  constructor(fetch: () => Promise<Record<string, unknown>[]>, now: () => number) {
    this.#fetch = fetch
    this.#now = now
  }

  async get(kid: string): Promise<CryptoKey | undefined> {
    const known = this.#keys.get(kid)
    if (known) return known
    if (this.#refreshing || this.#now() - this.#asked >= MIN_GAP_MS) await this.#refreshOrRefuse()
    return this.#keys.get(kid)
  }

  refreshIfOld(): void {
    if (this.#now() - this.#fetched >= REFRESH_MS && this.#now() - this.#asked >= 1_000)
      void this.refresh().catch(() => undefined)
  }

  refresh(): Promise<void> {
    this.#asked = this.#now()
    this.#refreshing ??= this.#load()
      .catch(thrown => {
        this.#asked = Number.NEGATIVE_INFINITY
        throw thrown
      })
      .finally(() => {
        this.#refreshing = undefined
      })
    return this.#refreshing
  }

  async #load(): Promise<void> {
    const jwks = (await this.#fetch()) as JWK[]
    const entries = await Promise.all(jwks.map(async jwk => [String(jwk.kid), await importKey(jwk)] as const))
    this.#keys = new Map(entries)
    this.#fetched = this.#now()
  }

  async #refreshOrRefuse(): Promise<void> {
    try {
      await this.refresh()
    } catch (thrown) {
      throw new Refusal(
        503,
        'no_keys',
        'The signing keys of auth cannot be read, so no token can be checked.',
        {
          next: 'Try again in a moment; `llmagentos cluster status` says what is down.',
          retryAfterSeconds: 1,
          nothingBegun: true,
          cause: thrown,
        },
      )
    }
  }
}
