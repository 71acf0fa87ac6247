import type { FastifyInstance } from 'fastify'
import type { Principal } from '../../contracts/identity.ts'
import type { Route } from '../../contracts/route.ts'
import { broken } from '../call-parts.ts'
import type { LocalCall, Neighbour } from '../here.ts'
import { isLast } from '../ndjson.ts'
import { Refusal } from '../refusal.ts'
import { type Books, noteAnswer, noteFailure } from './answered.ts'
import { admit } from './arrival.ts'
import { asRefusal } from './errors.ts'
import { throughJson } from './json-body.ts'
import { isFrames, LocalFrames } from './local-lines.ts'
import { Visit } from './visit.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The routes that callers in this process reach without the socket. */
    local: LocalRoutes
  }
}

/** One route as it is answered, whichever way a request comes. */
export interface Offer {
  route: Route
  status: number
  verify(token: string): Promise<Principal>
  answer(asked: { body: unknown; who: Principal | undefined; hop: Visit['hop'] }): Promise<unknown>
}

interface Offered extends Offer {
  /** Compiled by the app at the first call, with the options of its own routes. */
  check?: Check
}
type Check = ((value: unknown) => unknown) & { errors?: unknown }

/**
 * The routes of one service for callers in the same process. Such a call has everything that one over the socket has: caller, token and scope
 * are checked, the body is a copy within the same limits and schema, frames are copies, deadline and leaving callers abort it, errors are the
 * same Refusals, and it is counted, logged, and waited for when the service stops. Only socket and HTTP are left out.
 */
export class LocalRoutes implements Neighbour {
  readonly #app: FastifyInstance
  readonly #books: Books
  readonly #offers = new Map<Route, Offered>()
  readonly #visits = new Set<Visit>()
  #closed = false

  constructor(app: FastifyInstance, books: Books) {
    this.#app = app
    this.#books = books
  }

  add(offer: Offer): void {
    this.#offers.set(offer.route, { ...offer })
  }

  takes(route: Route): boolean {
    return !this.#closed && this.#offers.has(route)
  }

  async document(route: Route, call: LocalCall): Promise<unknown> {
    const { offer, visit } = this.#enter(route, call)
    try {
      const answer = await this.#answer(offer, visit, call.body)
      if (isFrames(answer)) throw new Error(`${route.method} ${route.path} answers with frames`)
      const text = JSON.stringify(answer ?? {})
      this.#answered(visit, offer.status)
      return JSON.parse(text)
    } catch (thrown) {
      throw this.#refused(visit, call, thrown)
    } finally {
      visit.leave()
    }
  }

  async *lines(route: Route, call: LocalCall): AsyncGenerator<unknown> {
    const { offer, visit } = this.#enter(route, call)
    let frames: LocalFrames | undefined
    let begun = false
    let over = false
    try {
      const answer = await this.#answer(offer, visit, call.body)
      frames = new LocalFrames(visit, isFrames(answer) ? answer : one(answer ?? {}))
      for (;;) {
        const frame = await frames.next()
        if (!over && (frame === undefined || isLast(frame))) {
          over = true
          this.#answered(visit, offer.status)
        }
        if (frame === undefined) return
        begun = true
        yield frame
      }
    } catch (thrown) {
      over = !visit.isCut
      if (!begun || visit.isCut) throw this.#refused(visit, call, thrown)
      this.#answered(visit, offer.status)
      yield asRefusal(thrown).frame(visit.hop.requestId)
    } finally {
      if (!over) visit.abandon()
      frames?.leave()
      visit.leave()
    }
  }

  /** Takes no more calls and returns when those that run have ended, at the latest after `deadlineMs`. */
  async close(deadlineMs: number): Promise<void> {
    this.#closed = true
    const late = setTimeout(() => {
      for (const visit of this.#visits) visit.cut(new Error('the service stopped'))
    }, deadlineMs)
    await Promise.all([...this.#visits].map(v => v.over))
    clearTimeout(late)
  }

  #enter(route: Route, call: LocalCall): { offer: Offered; visit: Visit } {
    const offer = this.#offers.get(route)!
    const visit = new Visit(route, call, () => this.#visits.delete(visit))
    this.#visits.add(visit)
    return { offer, visit }
  }

  #answer(offer: Offered, visit: Visit, given: unknown): Promise<unknown> {
    return visit.unlessCut((resolve, reject) => this.#run(offer, visit, given).then(resolve, reject))
  }

  async #run(offer: Offered, visit: Visit, given: unknown): Promise<unknown> {
    const { route } = offer
    const body = given === undefined ? undefined : throughJson(this.#app, given, route.bodyLimit)
    if (route.body) this.#check(offer, body)
    const who = await admit(route, visit.hop, offer.verify)
    return offer.answer({ body, who, hop: visit.hop })
  }

  #check(offer: Offered, body: unknown): void {
    const { method, path: url, body: schema } = offer.route
    offer.check ??= this.#app.validatorCompiler!({ schema, method, url, httpPart: 'body' } as never) as Check
    if (offer.check(body) === false)
      throw Object.assign(new Error('the body is not what the route takes'), {
        validation: offer.check.errors,
        validationContext: 'body',
      })
  }

  #answered(visit: Visit, status: number): void {
    const { route, hop, began } = visit
    const ms = performance.now() - began
    const { requestId } = hop
    noteAnswer(this.#books, { requestId, method: route.method, route: route.path, status, ms })
  }

  /** What the caller gets: as over a socket, where only what a Refusal says arrives. */
  #refused(visit: Visit, call: LocalCall, thrown: unknown): unknown {
    const { route, hop } = visit
    if (visit.isCut) return broken(route, call.hop, thrown)
    const refusal = asRefusal(thrown)
    const { status, code, message, next, retryAfterSeconds } = refusal
    noteFailure(this.#books, {
      requestId: hop.requestId,
      method: route.method,
      route: route.path,
      thrown,
      refusal,
    })
    this.#answered(visit, status)
    return new Refusal(status, code, message, { next, retryAfterSeconds })
  }
}

async function* one(answer: object): AsyncGenerator<object> {
  yield answer
}
