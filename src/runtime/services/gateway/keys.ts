import { hash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import {
  type Audience,
  type Exchange,
  exchangeKey,
  KEY_PATTERN,
  type Limits,
} from '../../../contracts/auth.ts'
import type { Principal } from '../../../contracts/identity.ts'
import { type Hop, ownHop } from '../../hop.ts'
import { revokedKey, type Verifier } from '../../identity/verifier.ts'
import { badRequest, Refusal } from '../../refusal.ts'
import type { Calls } from '../../transport.ts'

const EXCHANGE_MS = 5_000
/** A token must still last for the calls that follow, so it is replaced so long before its end. */
const SPARE_MS = 10_000
/** From so long before its end the next exchange is made beside the requests, which go on with what is there. */
const AHEAD_MS = 25_000
const REFUSED_MS = 1_000
const MAX_KNOWN = 10_000
const MAX_REFUSED = 1_000

/** A request whose key was accepted: who it is for, what it may use up, and the tokens to call services with. */
export interface Admitted {
  principal: Principal
  limits: Limits
  tokenFor(audience: Audience): string
}

interface Known {
  keyId: string
  admitted: Admitted
  /** Unix milliseconds: the earlier end of tokens and key. */
  expiresAt: number
}

interface Flight {
  keyId: string
  answer: Promise<Known>
  /** Something about the key changed while the question was under way, so the answer may be from before. */
  outdated: boolean
}

/** Where a request may carry a key. */
export interface Carrier {
  headers: IncomingHttpHeaders
  url: string
}

/** The gateway's check of API keys: traded at auth once, then known until the tokens end or the feed tells of a change. */
export class Keys {
  readonly #calls: Calls
  readonly #verifier: Verifier
  readonly #known = new Map<string, Known>()
  readonly #refused = new Map<string, { refusal: Refusal; until: number }>()
  readonly #flights = new Map<string, Flight>()

  constructor(o: { calls: Calls; verifier: Verifier }) {
    this.#calls = o.calls
    this.#verifier = o.verifier
    o.verifier.onChange((changed, revoked, everything) => this.#forget([...changed, ...revoked], everything))
  }

  /** Throws a Refusal: 400 or 401 for what was sent as key, 503 when who is revoked is not known to be fresh. */
  async admit(request: Carrier, hop: Hop): Promise<Admitted> {
    const key = keyIn(credentialOf(request))
    const cacheName = sha256(key.text)
    let known = this.#usable(cacheName)
    if (!known) {
      // Asked before the exchange, so that a short absence of auth is waited for and not refused.
      await this.#verifier.fresh()
      known = this.#usable(cacheName) ?? (await this.#exchange(cacheName, key, hop))
    } else if (known.expiresAt - AHEAD_MS <= Date.now()) this.#ahead(cacheName, key, hop)
    await this.confirm(known.keyId)
    return known.admitted
  }

  /** Throws as `admit` does when the key was revoked since then, or whether it was is not known to be fresh. */
  async confirm(keyId: string): Promise<void> {
    if (!this.#verifier.isFresh()) await this.#verifier.fresh()
    if (this.#verifier.isRevoked(keyId)) throw revokedKey()
  }

  #usable(cacheName: string): Known | undefined {
    const known = this.#known.get(cacheName)
    return known && known.expiresAt - SPARE_MS > Date.now() ? known : undefined
  }

  /** One question per key at a time, whoever waits for it. */
  async #exchange(cacheName: string, key: ParsedKey, hop: Hop): Promise<Known> {
    const refused = this.#refused.get(cacheName)
    if (refused && refused.until > Date.now()) throw refused.refusal
    for (;;) {
      const flight = this.#flights.get(cacheName) ?? this.#launch(cacheName, key, hop)
      const known = await flight.answer
      if (!flight.outdated) return known
    }
  }

  #ahead(cacheName: string, key: ParsedKey, hop: Hop): void {
    if (!this.#flights.has(cacheName)) this.#launch(cacheName, key, hop).answer.catch(() => undefined)
  }

  #launch(cacheName: string, key: ParsedKey, hop: Hop): Flight {
    const flight: Flight = { keyId: key.id, outdated: false, answer: this.#ask(key, hop) }
    flight.answer = flight.answer.then(
      known => {
        this.#flights.delete(cacheName)
        if (!flight.outdated) keep(this.#known, { name: cacheName, value: known, atMost: MAX_KNOWN })
        return known
      },
      thrown => {
        this.#flights.delete(cacheName)
        this.#noteRefusal(cacheName, thrown)
        throw thrown
      },
    )
    this.#flights.set(cacheName, flight)
    return flight
  }

  /** On a deadline of its own: others may wait for the same answer after whoever asked first went away. */
  async #ask(key: ParsedKey, hop: Hop): Promise<Known> {
    const own = { ...ownHop(EXCHANGE_MS), requestId: hop.requestId }
    const answer = await this.#calls.call(exchangeKey, own, {
      body: { id: key.id, digest: sha256(key.secret) },
    })
    return { keyId: key.id, expiresAt: answer.expiresAt, admitted: admittedBy(answer) }
  }

  #noteRefusal(cacheName: string, thrown: unknown): void {
    if (!(thrown instanceof Refusal) || thrown.status !== 401) return
    this.#known.delete(cacheName)
    const value = { refusal: thrown, until: Date.now() + REFUSED_MS }
    keep(this.#refused, { name: cacheName, value, atMost: MAX_REFUSED })
  }

  #forget(keyIds: string[], everything: boolean): void {
    const ids = new Set(keyIds)
    for (const [name, known] of this.#known) if (everything || ids.has(known.keyId)) this.#known.delete(name)
    for (const flight of this.#flights.values())
      if (everything || ids.has(flight.keyId)) flight.outdated = true
  }
}

/** The key that a request carries: `Authorization: Bearer` or `x-api-key`. Throws a Refusal (400) for two different ones and for one in the address. */
function credentialOf({ headers, url }: Carrier): string | undefined {
  if (url.includes('lao_') && /lao_[a-z0-9]{16}/.test(url))
    throw badRequest(
      'An API key does not belong in an address, where logs keep it.',
      'Send it as `Authorization: Bearer`, and revoke this one: `llmagentos key revoke`.',
    )
  const bearer = headers.authorization
  const apiKey = headers['x-api-key']
  if (apiKey === undefined) return bearer
  const own = Array.isArray(apiKey) ? apiKey.join(',') : apiKey
  if (bearer !== undefined && bearer.replace(/^Bearer /i, '') !== own)
    throw badRequest('Authorization and x-api-key carry two different keys.', 'Send one of them.')
  return own
}

interface ParsedKey {
  text: string
  id: string
  secret: string
}

function keyIn(header: string | undefined): ParsedKey {
  if (!header)
    throw new Refusal(401, 'no_key', 'This needs an API key.', {
      next: 'Send it as `Authorization: Bearer lao_...`; `llmagentos key create` makes one.',
    })
  const text = /^Bearer /i.test(header) ? header.slice('Bearer '.length).trim() : header
  const parts = KEY_PATTERN.exec(text)
  if (!parts)
    throw new Refusal(401, 'malformed_key', 'What was sent is not an API key of this system.', {
      next: 'A key starts with lao_ and has 64 characters; check that it was copied whole.',
    })
  return { text, id: parts[1]!, secret: parts[2]! }
}

function admittedBy(answer: Exchange): Admitted {
  return {
    principal: answer.principal,
    limits: answer.limits,
    tokenFor(audience) {
      const token = answer.tokens[audience]
      if (token === undefined) throw new Error(`auth gave no token for ${audience}`)
      return token
    },
  }
}

const sha256 = (text: string) => hash('sha256', text, 'hex')

/** The oldest entry goes when the map is full. */
function keep<V>(map: Map<string, V>, o: { name: string; value: V; atMost: number }): void {
  map.delete(o.name)
  if (map.size >= o.atMost) map.delete(map.keys().next().value!)
  map.set(o.name, o.value)
}
