import type { Address } from '../contracts/config.ts'
import type { ServiceName } from '../contracts/identity.ts'
import type { Route } from '../contracts/route.ts'
import type { Hop } from './hop.ts'

/** What one service of this process asks of another. */
export interface LocalCall {
  caller: ServiceName
  hop: Hop
  body: unknown
}

/** A service of this process, as the others in it reach it: as over its socket, without the socket. */
export interface Neighbour {
  /** Whether it answers that route here and now. */
  takes(route: Route): boolean
  /** The document that the route answers with. Throws what `Calls` throws. */
  document(route: Route, call: LocalCall): Promise<unknown>
  /** The frames of the route's answer, with a beat in each silent second. */
  lines(route: Route, call: LocalCall): AsyncGenerator<unknown>
}

/** The services of this process, by the address that each listens on. */
export class Here {
  readonly #neighbours = new Map<string, Neighbour>()

  add(at: Address, neighbour: Neighbour): void {
    this.#neighbours.set(nameOf(at), neighbour)
  }

  find(at: Address): Neighbour | undefined {
    return this.#neighbours.get(nameOf(at))
  }
}

const nameOf = (at: Address) => ('socket' in at ? at.socket : `${at.host} ${at.port}`)
