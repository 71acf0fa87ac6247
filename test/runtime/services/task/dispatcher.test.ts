import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { silent } from '../../../../src/log.ts'
import { inProcessBus } from '../../../../src/runtime/bus/in-process.ts'
import type { Bus } from '../../../../src/runtime/bus/index.ts'
import { ownHop } from '../../../../src/runtime/hop.ts'
import type { Kind } from '../../../../src/runtime/kinds/kind.ts'
import { Dispatcher } from '../../../../src/runtime/services/task/dispatcher.ts'
import { Executors } from '../../../../src/runtime/services/task/executors.ts'
import { moveDue } from '../../../../src/runtime/services/task/waiting.ts'
import { type ReadyMessage, tell, tellCompleted } from '../../../../src/runtime/tasks/events.ts'
import { Fence } from '../../../../src/runtime/tasks/fence.ts'
import { queuedName, readQueued, waitingName } from '../../../../src/runtime/tasks/names.ts'
import type { TaskRecord } from '../../../../src/runtime/tasks/records.ts'
import { Calls } from '../../../../src/runtime/transport.ts'
import { MemoryRecords } from '../../../helpers/memory-records.ts'
import { taskRecord } from '../../../helpers/task-record.ts'

const hop = ownHop(60_000)
const by = { executor: 'x', boot: 'b' }
let records: MemoryRecords
let fence: Fence
let bus: Bus
let executors: Executors
let dispatcher: Dispatcher
let published: string[]
const stops: (() => Promise<void>)[] = []

beforeEach(() => {
  records = new MemoryRecords()
  fence = new Fence(records)
  published = []
  const inner = inProcessBus()
  bus = {
    ...inner,
    publish: async (queue, messages) => {
      published.push(...messages.map(m => (m.body as ReadyMessage).name))
      return inner.publish(queue, messages)
    },
  }
  executors = new Executors()
  dispatcher = make()
})

afterEach(async () => {
  await dispatcher.stop()
  await Promise.all(stops.splice(0).map(stop => stop()))
  vi.restoreAllMocks()
})

const parts = () => ({
  ...{ records, fence, bus, log: silent, calls: new Calls('task', {}) },
  kinds: new Map([
    ['alone', { name: 'alone', class: 'llm', concurrencyKey: () => 'kb:x' } as unknown as Kind],
  ]),
})
const make = () => new Dispatcher({ ...parts(), executors })

/** An executor with so many slots whose messages stay until the test takes them. */
async function start(slots: number): Promise<void> {
  stops.push(await bus.consume('ready.llm', 1, () => new Promise(() => {})).then(() => async () => {}))
  executors.beat({ executor: 'x', boot: 'b', slots: { llm: slots }, running: [] })
  await dispatcher.start()
}

async function put(given: Partial<TaskRecord> = {}): Promise<TaskRecord> {
  const task = taskRecord(given)
  await records.create(queuedName(task), task)
  return task
}

async function finish(task: TaskRecord): Promise<void> {
  const claim = { ...by, user: task.user, priority: task.priority }
  await fence.end(task, { outcome: 'done', at: 1 }, hop)
  tellCompleted(bus, task, await fence.complete(task, claim, hop))
}

const settle = () => new Promise(resolve => setTimeout(resolve, 30))

test('it reads the backlog of an earlier start and publishes no more than the window', async () => {
  for (let i = 0; i < 10; i++) await put({ user: i % 2 ? 'ada' : 'bob' })
  await start(4)
  await vi.waitFor(() => expect(published.length).toBe(4))
  await settle()
  // Both wait, so each holds at most half of the four slots.
  expect(published.map(n => readQueued(n)!.user).toSorted()).toEqual(['ada', 'ada', 'bob', 'bob'])
})

test('a user alone has one less than twice the slots given out, and a newcomer goes at once', async () => {
  for (let i = 0; i < 10; i++) await put()
  await start(2)
  await vi.waitFor(() => expect(published.length).toBe(3))
  const bob = await put({ user: 'bob' })
  tell(bus, 'queued', bob.id, { name: queuedName(bob) })
  await vi.waitFor(() => expect(published.at(-1)).toBe(queuedName(bob)))
  expect(published.length).toBe(4)
})

test('the end of one lets the next go', async () => {
  const tasks = [await put(), await put(), await put()]
  await start(1)
  await vi.waitFor(() => expect(published.length).toBe(1))
  for (const task of tasks) {
    await fence.claim(queuedName(task), by, hop)
    tell(bus, 'claimed', task.id, { ...task, executor: 'x' })
    await finish(task)
  }
  await vi.waitFor(() => expect(new Set(published).size).toBe(3))
})

test('tasks of one concurrency key go one at a time', async () => {
  const [first] = [await put({ kind: 'alone' }), await put({ kind: 'alone' }), await put({ user: 'bob' })]
  await start(4)
  await vi.waitFor(() => expect(published.length).toBe(2))
  await settle()
  expect(published.length).toBe(2)
  await fence.claim(queuedName(first), by, hop)
  await finish(first)
  await vi.waitFor(() => expect(published.length).toBe(3))
})

test('a concurrency key of one user holds up nobody else', async () => {
  for (const user of ['ann', 'ann', 'bob']) await put({ kind: 'alone', user })
  await start(4)
  await vi.waitFor(() => expect(published.length).toBe(2))
  expect(published.map(n => readQueued(n)!.user).toSorted()).toEqual(['ann', 'bob'])
})

test('what runs already is not published again after a restart', async () => {
  const task = await put()
  await fence.claim(queuedName(task), by, hop)
  await put()
  await start(2)
  await vi.waitFor(() => expect(published.length).toBe(1))
  await settle()
  expect(published).not.toContain(queuedName(task))
})

test('without an executor nothing is published, and a full or missing queue keeps the task', async () => {
  await put()
  await dispatcher.start()
  await settle()
  expect(published).toEqual([])
  executors.beat({ executor: 'x', boot: 'b', slots: { llm: 1 }, running: [] })
  // Nobody declared the queue yet: unroutable, so it is tried again later.
  await dispatcher.fill()
  expect(dispatcher.waiting).toBe(1)
})

test('a published task that nobody claims is published again after a minute', async () => {
  await put()
  await start(1)
  await vi.waitFor(() => expect(published.length).toBe(1))
  const real = performance.now.bind(performance)
  vi.spyOn(performance, 'now').mockImplementation(() => real() + 61_000)
  await vi.waitFor(() => expect(published.length).toBeGreaterThanOrEqual(2), { timeout: 5_000 })
  expect(new Set(published).size).toBe(1)
})

test('a task whose time is over before it started is expired', async () => {
  const task = await put({ expires: Date.now() + 300 })
  await dispatcher.start()
  await vi.waitFor(() => expect(records.names('h/').length).toBe(1), { timeout: 5_000 })
  expect(records.names('h/')[0]).toMatch(/\.expired$/)
  expect(records.names('q/')).toEqual([])
  expect(await fence.claim(queuedName(task), by, hop)).toEqual({ is: 'gone' })
})

test('a position counts those before it, and high priority goes first among its own', async () => {
  const low = await put({ priority: 'low' })
  const normal = await put()
  const high = await put({ priority: 'high' })
  await dispatcher.start()
  await vi.waitFor(() => expect(dispatcher.waiting).toBe(3))
  expect([high, normal, low].map(t => dispatcher.place(t)?.position)).toEqual([0, 1, 2])
})

test('what waits is queued when it is due, not before', async () => {
  const due = taskRecord({ notBefore: Date.now() + 400 })
  const later = taskRecord({ notBefore: Date.now() + 600_000 })
  for (const t of [due, later]) await records.create(waitingName(t, t.notBefore!), t)
  stops.push(moveDue(parts()))
  await settle()
  expect(records.names('q/')).toEqual([])
  await vi.waitFor(() => expect(records.names('q/')).toEqual([queuedName(due)]), { timeout: 5_000 })
  expect(Date.now()).toBeGreaterThanOrEqual(due.notBefore!)
  expect(records.names('w/')).toEqual([waitingName(later, later.notBefore!)])
})
