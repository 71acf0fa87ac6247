import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Connection, Ended } from '../../../src/provision/connections/connection.ts'
import { Heartbeat } from '../../../src/provision/reconcile/heartbeat.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const SECOND = 1_000

/** A control node that is so busy that each answer takes this long. */
const busy = (ms: () => number): Connection => control(() => [ms(), 'ours'])

/** One that takes so many seconds for an answer, and says so; the last of them again and again. */
const answering = (...answers: [number, string][]): Connection =>
  control(() => {
    const [seconds, says] = (answers.length > 1 ? answers.shift() : answers[0])!
    return [seconds * SECOND, says]
  })

function control(next: () => [number, string]): Connection {
  const exec = () =>
    new Promise<Ended>(resolve => {
      const [ms, says] = next()
      setTimeout(() => resolve({ code: 0, stdout: `${says}\n0\n`, stderr: '' }), ms)
    })
  return { node: 'c1', exec } as unknown as Connection
}

function beating(on: Connection): Heartbeat {
  return new Heartbeat(new Map([[on, performance.now()]]), { id: 'mine', majority: 1 })
}

test('a control node that takes most of half a minute for each answer loses no lock', async () => {
  const heartbeat = beating(busy(() => 28 * SECOND))
  await vi.advanceTimersByTimeAsync(600 * SECOND)
  expect(heartbeat.signal.aborted).toBe(false)
})

test('one that takes longer than the lease has lost it, and so has one that stops answering', async () => {
  const slow = beating(busy(() => 45 * SECOND))
  await vi.advanceTimersByTimeAsync(60 * SECOND)
  expect(slow.signal).toMatchObject({ aborted: true, reason: { message: 'The lock was lost.' } })
  let takes = 1
  const stops = beating(busy(() => takes * SECOND))
  await vi.advanceTimersByTimeAsync(60 * SECOND)
  expect(stops.signal.aborted).toBe(false)
  takes = 10_000
  await vi.advanceTimersByTimeAsync(50 * SECOND)
  expect(stops.signal.aborted).toBe(true)
})

test('an answer that comes after a newer one, which said that the lease is gone, brings nothing back', async () => {
  const c1 = answering([25, 'ours'], [1, 'free'])
  const c2 = answering([1, 'ours'], [1, 'ours'], [6, 'free'])
  const held = [c1, c2, answering([1, 'ours'])].map(on => [on, performance.now()] as const)
  const heartbeat = new Heartbeat(new Map(held), { id: 'mine', majority: 2 })
  await vi.advanceTimersByTimeAsync(35.5 * SECOND)
  expect(heartbeat.signal.aborted).toBe(false)
  await vi.advanceTimersByTimeAsync(SECOND)
  expect(heartbeat.signal).toMatchObject({
    aborted: true,
    reason: { why: expect.stringContaining('by hand') },
  })
})
