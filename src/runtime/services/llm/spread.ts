import type { Static } from 'typebox'
import type { PullFrame, pullModel } from '../../../contracts/models.ts'
import { type WorkerState, workerPull } from '../../../contracts/worker.ts'
import { reasonOf } from '../../../errors.ts'
import { asSelf, type Hop } from '../../hop.ts'
import { Refusal, refusalIn } from '../../refusal.ts'
import { together } from '../../together.ts'
import type { Calls, Peer } from '../../transport.ts'
import { sameModel, type Workers } from './workers.ts'

interface Means {
  workers: Workers
  calls: Calls
  hop: Hop
}
interface Place {
  state: WorkerState
  peer: Peer
}
type Asked = Static<(typeof pullModel)['body']>

/** A worker hands a model on to so many at a time: with more they would all be as slow as its line. */
const PER_SOURCE = 2
/** Others that have it are asked for it, before one that could not get it is given up. */
const TRIES = 3

/**
 * Brings a model to workers: to the first from where it is published, unless one has it, and from there on from each that has it to the next
 * ones. One that fails does not keep the others from it; the last frame then says which.
 */
export async function* spread(asked: Asked, { workers, calls, hop }: Means): AsyncGenerator<PullFrame> {
  const { name } = asked
  const { having, wanting } = placesFor(asked, workers.states())
  const take = (to: Place, from?: Place) => taking(name, { to, from, calls, hop })
  if (having.length === 0) {
    const first = wanting.shift()!
    yield* take(first)
    having.push(first)
  }
  const failed: string[] = []
  const sources = new Sources(having)
  yield* together(wanting.map(to => () => fromOthers(to, { sources, take, failed })))
  const names = sources.places.map(({ state }) => state.name)
  if (failed.length > 0)
    throw new Refusal(
      502,
      'not_everywhere',
      `${name} is on ${names.join(', ')}, and not on ${failed.join('; ')}`,
      {
        next: 'Run it again: what has come already does not come twice.',
      },
    )
  yield { type: 'done', model: name, workers: names }
}

/** Who has it and who shall get it, those with the most room first. Throws when there are not as many as wanted. */
function placesFor(
  { name, on, among, workers: count }: Asked,
  up: Place[],
): { having: Place[]; wanting: Place[] } {
  if (up.length === 0) throw new Refusal(503, 'no_worker', 'No worker answers.', { retryAfterSeconds: 2 })
  const meant = up.filter(
    ({ state }) =>
      Object.entries(on ?? {}).every(([label, value]) => state.labels?.[label] === value) &&
      (!among || among.includes(state.name)),
  )
  if (meant.length === 0)
    throw new Refusal(
      404,
      'no_worker',
      `No worker answers that ${on ? `has the labels ${inWords(on)}` : 'is meant'}.`,
    )
  // Where no Ollama answers, the first one says why.
  const able = meant.some(({ state }) => state.holds) ? meant.filter(({ state }) => state.holds) : [meant[0]!]
  const has = ({ state }: Place) => state.models.some(model => sameModel(model.name, name))
  const all = count ?? able.length
  if (able.length < all)
    throw new Refusal(409, 'too_few', `${all} workers shall have ${name}, and ${able.length} could.`, {
      next: 'Ask for fewer, or see `llmagentos cluster status` for those that do not answer.',
    })
  const missing = all - able.filter(has).length
  const wanting = able
    .filter(place => !has(place))
    .toSorted((a, b) => (b.state.freeBytes ?? 0) - (a.state.freeBytes ?? 0))
    .slice(0, Math.max(0, missing))
  // One outside of those that are meant may hand it on as well.
  return { having: up.filter(has), wanting }
}

/** What `to` says while it takes the model. Throws what it failed with. */
async function* taking(
  name: string,
  { to, from, calls, hop }: { to: Place; from?: Place; calls: Calls; hop: Hop },
): AsyncGenerator<PullFrame> {
  const worker = to.state.name
  const body = { name, ...(from && { from: from.peer.at as { host: string; port: number } }) }
  for await (const frame of calls.lines<PullFrame | { type: 'beat' }>(workerPull, asSelf(hop), {
    peer: to.peer,
    body,
  })) {
    if (frame.type === 'error') throw refusalIn(frame)
    if (frame.type === 'progress') yield { ...frame, worker }
    if (frame.type === 'done') return yield { type: 'placed', worker, ...(from && { from: from.state.name }) }
  }
  throw new Refusal(502, 'cut', `What ${worker} said was cut.`)
}

async function* fromOthers(
  to: Place,
  {
    sources,
    take,
    failed,
  }: { sources: Sources; take: (to: Place, from: Place) => AsyncGenerator<PullFrame>; failed: string[] },
): AsyncGenerator<PullFrame> {
  for (let tries = 1; ; tries++) {
    const from = await sources.next()
    try {
      yield* take(to, from)
      sources.add(to)
      return
    } catch (thrown) {
      // No other source makes room on its disk.
      const over = tries >= TRIES || (thrown instanceof Refusal && thrown.status === 507)
      if (over) return void failed.push(`${to.state.name}: ${reasonOf(thrown)}`)
    } finally {
      sources.free(from)
    }
  }
}

/** Who has the model, each lent to few at a time. */
class Sources {
  readonly places: Place[]
  readonly #busy = new Map<Place, number>()
  #waiting: (() => void)[] = []

  constructor(places: Place[]) {
    this.places = [...places]
  }

  add(place: Place): void {
    this.places.push(place)
    this.#wake()
  }

  /** The least busy one, once there is one. */
  async next(): Promise<Place> {
    for (;;) {
      const [free] = this.places
        .filter(place => this.#of(place) < PER_SOURCE)
        .toSorted((a, b) => this.#of(a) - this.#of(b))
      if (free) {
        this.#busy.set(free, this.#of(free) + 1)
        return free
      }
      await new Promise<void>(resolve => this.#waiting.push(resolve))
    }
  }

  free(place: Place): void {
    this.#busy.set(place, this.#of(place) - 1)
    this.#wake()
  }

  #of(place: Place): number {
    return this.#busy.get(place) ?? 0
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const wake of waiting) wake()
  }
}

const inWords = (labels: Record<string, string>) =>
  Object.entries(labels)
    .map(([label, value]) => `${label}=${value}`)
    .join(', ')
