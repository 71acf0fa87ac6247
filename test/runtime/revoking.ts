import { createHash } from 'node:crypto'
import { onTestFinished } from 'vitest'
import { type Audience, exchangeKey, KEY_PATTERN, listKeys, whoami } from '../../src/contracts/auth.ts'
import type { ServiceName } from '../../src/contracts/identity.ts'
import { listModels } from '../../src/contracts/models.ts'
import { listObjects } from '../../src/contracts/objects.ts'
import type { Route } from '../../src/contracts/route.ts'
import { clusterStatus } from '../../src/contracts/status.ts'
import { waitFor } from '../../src/retry.ts'
import { type Hop, ownHop } from '../../src/runtime/hop.ts'
import { Refusal } from '../../src/runtime/refusal.ts'
import type { Calls, Peer } from '../../src/runtime/transport.ts'

/** The promise: later than this after the revocation was answered, nobody accepts the key. */
export const LATE_MS = 1_000
/** Answered by different services. */
export const ROUTES: Route[] = [clusterStatus, whoami, listKeys, listModels, listObjects]

export interface Answer {
  sent: number
  status: number
  to: ServiceName
}

/** Keeps `lanes` requests with one key under way over all of some routes. */
export class Traffic {
  readonly answers: Answer[] = []
  readonly #peer: Peer
  readonly #key: string
  readonly #routes: Route[]
  readonly #lanes: Promise<void>[]
  #on = true
  #failure: { thrown: unknown } | undefined

  constructor(peer: Peer, key: string, { lanes, routes = ROUTES }: { lanes: number; routes?: Route[] }) {
    this.#peer = peer
    this.#key = key
    this.#routes = routes
    this.#lanes = Array.from({ length: lanes }, (_, lane) =>
      this.#run(lane).catch(thrown => {
        this.#failure ??= { thrown }
      }),
    )
    // A test that failed elsewhere leaves nothing running, and no error of its own cleanup beside the one that counts.
    onTestFinished(() => {
      this.#on = false
    })
  }

  since(time: number): Answer[] {
    return this.answers.filter(a => a.sent >= time)
  }

  async stop(): Promise<void> {
    this.#on = false
    await Promise.all(this.#lanes)
    if (this.#failure) throw this.#failure.thrown
  }

  async #run(lane: number): Promise<void> {
    for (let i = lane; this.#on; i++) {
      const route = this.#routes[i % this.#routes.length]!
      const sent = performance.now()
      this.answers.push({ sent, to: route.to, status: await statusOf(this.#peer, this.#key, route) })
    }
  }
}

export async function statusOf(peer: Peer, key: string, route: Route): Promise<number> {
  try {
    const { status, body } = await peer.request({
      method: route.method,
      path: route.path,
      headers: { authorization: `Bearer ${key}` },
    })
    await body.text()
    return status
  } catch (thrown) {
    // So a peer says that nothing was begun.
    if (thrown instanceof Refusal) return thrown.status
    throw thrown
  }
}

export const until = (says: string, attempt: () => Promise<boolean> | boolean) =>
  waitFor({ says, deadlineMs: 20_000 }, async () => ((await attempt()) ? true : undefined))

/** What the gateway does with a key: trades it for tokens, at one instance of auth if one is given. */
export function exchanged(calls: Calls, key: string, peer?: Peer) {
  const [, id, secret] = KEY_PATTERN.exec(key)!
  const digest = createHash('sha256').update(secret!).digest('hex')
  return calls.call(exchangeKey, ownHop(), { body: { id: id!, digest }, peer })
}

/** A hop with the token that the gateway gets for a key. */
export async function hopWith(calls: Calls, key: string, audience: Audience): Promise<Hop> {
  const { tokens } = await exchanged(calls, key)
  return { ...ownHop(), token: tokens[audience] }
}

export const many = (ask: () => Promise<number>, count = 100) =>
  Promise.all(Array.from({ length: count }, ask))

export const count = (answers: Answer[], status: number) => answers.filter(a => a.status === status).length
