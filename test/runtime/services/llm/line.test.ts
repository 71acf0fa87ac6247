import { expect, test } from 'vitest'
import { Cancel } from '../../../../src/runtime/cancel.ts'
import { Metrics } from '../../../../src/runtime/metrics.ts'
import { Line } from '../../../../src/runtime/services/llm/line.ts'
import type { Class, Ticket } from '../../../../src/runtime/services/llm/ticket.ts'
import { type Given, workersOf } from './room.ts'

interface Ask {
  user?: string
  class?: Class
  workers?: string[]
  stop?: Cancel
  cost?: number
}

async function line(o: { workers: Given[]; most?: number; waitMs?: number }) {
  const room = await workersOf(o.workers)
  const metrics = new Metrics('llm')
  const made = new Line({ room: room.workers, most: o.most ?? 100, waitMs: o.waitMs ?? 60_000, metrics })
  room.workers.changed = () => made.pump()
  const enter = (a: Ask = {}) =>
    made.enter({
      user: a.user ?? 'ann',
      class: a.class ?? 'interactive',
      cost: a.cost ?? 100,
      candidates: room.candidates(...(a.workers ?? o.workers.map(w => w.name))),
      stop: a.stop ?? new Cancel(),
      arrival: made.arrive(),
    })
  return { line: made, room, metrics, enter }
}

/** The one position that a ticket says next, or why it never will. */
const next = async (ticket: Ticket) => (await ticket.wait().next()).value
const refusal = (ticket: Ticket) =>
  (async () => {
    for await (const _ of ticket.wait());
  })().catch(thrown => thrown)
const sentUsers = (tickets: Record<string, Ticket>) =>
  Object.keys(tickets).filter(name => tickets[name]!.worker !== undefined)

test('a worker is given as many as run and as many again; the rest waits, and is told where', async () => {
  const { enter } = await line({ workers: [{ name: 'w', slots: 2 }] })
  const tickets = Array.from({ length: 6 }, () => enter())
  expect(tickets.map(t => t.worker?.name)).toEqual(['w', 'w', 'w', 'w', undefined, undefined])
  // Two wait at the worker before them.
  expect(await next(tickets[4]!)).toBe(3)
  expect(await next(tickets[5]!)).toBe(4)
  tickets[0]!.leave()
  expect(tickets[4]!.worker?.name).toBe('w')
  expect(tickets[5]!.worker).toBeUndefined()
})

test('a user with one question does not wait behind another with a hundred', async () => {
  const { enter } = await line({ workers: [{ name: 'w', slots: 1 }], most: 200 })
  const many = Array.from({ length: 100 }, () => enter({ user: 'ada' }))
  const one = enter({ user: 'bob' })
  many[0]!.leave(100)
  many[1]!.leave(100)
  expect(one.worker).toBeDefined()
  expect(many.filter(t => t.worker)).toHaveLength(3)
})

test('while others wait one user has at most half of the room', async () => {
  const { enter } = await line({ workers: [{ name: 'w', slots: 4 }] })
  const ada = Array.from({ length: 12 }, () => enter({ user: 'ada' }))
  const bob = Array.from({ length: 6 }, () => enter({ user: 'bob' }))
  for (const t of ada.slice(0, 4)) t.leave(100)
  expect(bob.filter(t => t.worker)).toHaveLength(4)
})

test('room that nobody else could use is not kept from a user who has more than half', async () => {
  const workers = [
    { name: 'w', slots: 1 },
    { name: 'x', slots: 3 },
  ]
  const { enter } = await line({ workers })
  for (let i = 0; i < 4; i++) enter({ user: 'ada', workers: ['w'] })
  enter({ user: 'bob', workers: ['w'] })
  const alone = Array.from({ length: 6 }, () => enter({ user: 'ada', workers: ['x'] }))
  expect(alone.every(t => t.worker?.name === 'x')).toBe(true)
})

test('no task is sent while a question waits, and tasks leave one of several slots free', async () => {
  const { enter } = await line({ workers: [{ name: 'w', slots: 3 }] })
  const tasks = Array.from({ length: 4 }, () => enter({ class: 'task' }))
  expect(tasks.filter(t => t.worker)).toHaveLength(2)
  const asks = Array.from({ length: 6 }, () => enter({ user: 'bob' }))
  expect(asks.filter(t => t.worker)).toHaveLength(4)
  tasks[0]!.leave(100)
  expect(asks.filter(t => t.worker)).toHaveLength(5)
  expect(tasks[2]!.worker).toBeUndefined()
  asks[0]!.leave(100)
  asks[1]!.leave(100)
  expect(sentUsers({ last: asks[5]!, task: tasks[2]! })).toEqual(['last', 'task'])
})

test('a full line refuses with 429 and a time, and gives up the last of whoever has most in it', async () => {
  const { enter, line: it } = await line({ workers: [{ name: 'w', slots: 1 }], most: 3 })
  const ada = Array.from({ length: 5 }, () => enter({ user: 'ada' }))
  const more = enter({ user: 'ada' })
  expect(await refusal(more)).toMatchObject({ status: 429, code: 'busy' })
  expect((await refusal(more)).retryAfterSeconds).toBeGreaterThan(0)
  expect(() => it.requireRoom({ user: 'ada', class: 'interactive', candidates: [] })).toThrow(
    /3 questions wait/,
  )
  it.requireRoom({ user: 'bob', class: 'interactive', candidates: [] })
  const bob = enter({ user: 'bob' })
  expect(await next(bob)).toBeGreaterThan(0)
  expect(await refusal(ada[4]!)).toMatchObject({ status: 429 })
  expect(await next(ada[3]!)).toBeGreaterThan(0)
})

test('a full line gives up a task before a question', async () => {
  const { enter } = await line({ workers: [{ name: 'w', slots: 1 }], most: 2 })
  enter()
  enter()
  const task = enter({ class: 'task', user: 'bob' })
  enter()
  const ask = enter()
  expect(await refusal(task)).toMatchObject({ status: 429 })
  expect(await next(ask)).toBeGreaterThan(0)
})

test('a question waits so long at most; a task as long as its deadline allows', async () => {
  const { enter } = await line({ workers: [{ name: 'w', slots: 1 }], waitMs: 300 })
  enter()
  enter()
  const [ask, task] = [enter(), enter({ class: 'task' })]
  expect(await refusal(ask)).toMatchObject({ status: 429, code: 'busy' })
  expect(await next(task)).toBe(2)
})

test('whoever goes away while waiting leaves the line at once', async () => {
  const { enter, metrics } = await line({ workers: [{ name: 'w', slots: 1 }] })
  enter()
  enter()
  const gone = new Cancel()
  const [leaving, staying] = [enter({ stop: gone }), enter()]
  expect(await next(staying)).toBe(3)
  gone.abort(new Error('gone'))
  expect(await refusal(leaving)).toMatchObject({ message: 'gone' })
  const waiting = await metrics.registry.getSingleMetric('llmagentos_llm_waiting')!.get()
  expect(waiting.values.map(v => v.value)).toEqual([1, 0])
})

test('a worker that says it is full is left alone for a moment, and the request keeps its place', async () => {
  const { enter, room, line: it } = await line({ workers: [{ name: 'w', slots: 1 }] })
  const first = enter()
  room.workers.full(first.worker!)
  first.leave(0)
  const again = it.enter(first.request)
  const later = enter()
  expect([again.worker, later.worker]).toEqual([undefined, undefined])
  expect(await next(again)).toBe(1)
  expect(await next(later)).toBe(2)
  for await (const _ of again.wait());
  expect(again.worker?.name).toBe('w')
})

test('without a worker that is up there is nothing to wait for', async () => {
  const { enter, room } = await line({ workers: [{ name: 'w', slots: 1 }] })
  await room.end('w')
  expect(() => enter()).toThrow(expect.objectContaining({ status: 503, code: 'no_worker' }))
})

test('a line that closes refuses all that wait, and sends nobody on', async () => {
  const { enter, line: it } = await line({ workers: [{ name: 'w', slots: 1 }] })
  const [first, , third, fourth] = [enter(), enter(), enter(), enter()]
  it.close()
  expect(await refusal(third!)).toMatchObject({ status: 503, code: 'stopping' })
  first!.leave(100)
  expect(fourth!.worker).toBeUndefined()
  expect(() => enter()).toThrow(expect.objectContaining({ code: 'stopping' }))
})
