import type { Principal, ServiceName } from '../../../contracts/identity.ts'
import { reasonOf } from '../../../errors.ts'
import type { Log } from '../../../log.ts'
import { ownHop } from '../../hop.ts'
import { type CryptoKey, importKey, type JWK, newSigningPair, signToken } from '../../identity/tokens.ts'
import type { Ledger } from './ledger.ts'
import { names, type SigningRecord } from './sets.ts'

const ROTATE_MS = 24 * 3_600_000
/** Published for so long after its last use: longer than any token that it signed, clocks apart included. */
const PUBLISHED_AFTER_MS = 5 * 60_000
const KEPT_AFTER_MS = 24 * 3_600_000

/** The signing keys: one in use, the next already published, so that a verifier knows each key before it meets it. */
export class Signer {
  readonly #ledger: Ledger
  readonly #log: Log
  readonly #imported = new Map<string, Promise<CryptoKey>>()

  constructor(ledger: Ledger, log: Log) {
    this.#ledger = ledger
    this.#log = log
  }

  /** Makes what is missing and drops what nobody needs. Called when the sets are loaded and then each minute. */
  async tend(now = Date.now()): Promise<void> {
    const keys = this.#sorted()
    const newest = keys.at(-1)
    if (!newest) await this.#add(1, now)
    if (!newest || newest.from <= now) await this.#add((newest?.n ?? 1) + 1, now + ROTATE_MS)
    for (const [i, key] of keys.entries()) {
      const successor = keys[i + 1]
      if (successor && successor.from + KEPT_AFTER_MS < now) await this.#ledger.dropSigning(key.n)
    }
  }

  /** The pair to sign with now. */
  async current(now = Date.now()): Promise<{ kid: string; key: CryptoKey }> {
    const keys = this.#sorted()
    const record = keys.findLast(k => k.from <= now) ?? keys[0]!
    return { kid: record.kid, key: await this.#import(`private ${record.kid}`, record.privateJwk) }
  }

  sign(o: {
    signing: { kid: string; key: CryptoKey }
    principal: Principal
    audience: readonly ServiceName[]
    expiresAt: number
  }): Promise<string> {
    const { signing, ...token } = o
    return signToken({ ...signing, ...token })
  }

  published(now = Date.now()): JWK[] {
    const keys = this.#sorted()
    return keys
      .filter((_, i) => !(keys[i + 1] && keys[i + 1]!.from + PUBLISHED_AFTER_MS < now))
      .map(k => k.publicJwk)
  }

  async publicKey(kid: string): Promise<CryptoKey | undefined> {
    const jwk = this.published().find(k => k.kid === kid)
    return jwk && this.#import(`public ${kid}`, jwk)
  }

  start(): NodeJS.Timeout {
    const tend = () =>
      this.tend().catch(thrown =>
        this.#log.warn({ err: reasonOf(thrown) }, 'the signing keys could not be rotated'),
      )
    return setInterval(tend, 60_000).unref()
  }

  #sorted(): SigningRecord[] {
    return [...this.#ledger.sets.signing.values()].sort((a, b) => a.n - b.n)
  }

  async #add(n: number, from: number): Promise<void> {
    await this.#ledger.create(names.signing(n), { n, from, ...(await newSigningPair()) }, ownHop())
  }

  #import(name: string, jwk: JWK): Promise<CryptoKey> {
    const key = this.#imported.get(name) ?? importKey(jwk)
    this.#imported.set(name, key)
    return key
  }
}
