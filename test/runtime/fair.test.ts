import { expect, test } from 'vitest'
import { type Entry, FairQueue, type Rules } from '../../src/runtime/fair.ts'

const free: Rules = { held: () => 0, slots: 8, window: 16, may: () => true }
const entry = (key: string, user: string, o: Partial<Entry> = {}): Entry => ({
  key,
  user,
  rank: 0,
  cost: 100,
  ...o,
})
const drain = (queue: FairQueue, rules = free): string[] => {
  const order: string[] = []
  for (let e = queue.next(rules); e; e = queue.next(rules)) order.push(e.key)
  return order
}

test('a user with one task does not wait behind another with a thousand', () => {
  const queue = new FairQueue()
  for (let i = 0; i < 1000; i++) queue.add(entry(`a${String(i).padStart(4, '0')}`, 'ada', { rank: i }))
  queue.next(free)
  queue.add(entry('b', 'bob', { rank: 5000 }))
  expect(drain(queue).indexOf('b')).toBeLessThanOrEqual(1)
})

test('users share by cost, not by count', () => {
  const queue = new FairQueue()
  for (let i = 0; i < 40; i++) {
    queue.add(entry(`big${i}`, 'ada', { cost: 300, rank: i }))
    queue.add(entry(`small${i}`, 'bob', { cost: 100, rank: i }))
  }
  const first = drain(queue).slice(0, 40)
  const bigs = first.filter(k => k.startsWith('big')).length
  expect(bigs).toBeGreaterThanOrEqual(9)
  expect(bigs).toBeLessThanOrEqual(11)
})

test('who was idle banks nothing', () => {
  const queue = new FairQueue()
  for (let i = 0; i < 10; i++) queue.add(entry(`a${i}`, 'ada', { rank: i }))
  for (let i = 0; i < 5; i++) queue.next(free)
  for (let i = 0; i < 10; i++) queue.add(entry(`b${i}`, 'bob', { rank: i }))
  const order = drain(queue).slice(0, 6)
  expect(order.filter(k => k.startsWith('b')).length).toBeLessThanOrEqual(4)
})

test('rank orders only within a user', () => {
  const queue = new FairQueue()
  queue.add(entry('a-late', 'ada', { rank: 9 }))
  queue.add(entry('a-early', 'ada', { rank: 1 }))
  queue.add(entry('b-urgent', 'bob', { rank: -1000 }))
  queue.add(entry('b-other', 'bob', { rank: 0 }))
  const order = drain(queue)
  expect(order.indexOf('a-early')).toBeLessThan(order.indexOf('a-late'))
  expect(order.indexOf('a-early')).toBeLessThan(order.indexOf('b-other'))
})

test('while others wait a user holds at most half the slots, and at least one', () => {
  const queue = new FairQueue()
  for (let i = 0; i < 8; i++) queue.add(entry(`a${i}`, 'ada', { rank: i, cost: 1 }))
  queue.add(entry('b0', 'bob', { cost: 1000 }))
  queue.add(entry('b1', 'bob', { cost: 1000 }))
  const held = new Map<string, number>()
  const rules: Rules = { ...free, slots: 4, held: user => held.get(user) ?? 0 }
  const given: string[] = []
  for (let e = queue.next(rules); e; e = queue.next(rules)) {
    held.set(e.user, (held.get(e.user) ?? 0) + 1)
    given.push(e.key)
    if (given.length === 3) break
  }
  expect(given.filter(k => k.startsWith('a')).length).toBeLessThanOrEqual(2)
  const one: Rules = { ...rules, slots: 1, held: () => 0 }
  expect(queue.next(one)).toBeDefined()
})

test('a user alone fills the window but no more', () => {
  const queue = new FairQueue()
  for (let i = 0; i < 9; i++) queue.add(entry(`a${i}`, 'ada', { rank: i }))
  let held = 0
  const rules: Rules = { ...free, slots: 2, window: 3, held: () => held }
  while (queue.next(rules)) held++
  expect(held).toBe(3)
})

test('what may not go now lets the next of the same user pass', () => {
  const queue = new FairQueue()
  queue.add(entry('a0', 'ada', { rank: 0, alone: 'kb:x' }))
  queue.add(entry('a1', 'ada', { rank: 1 }))
  expect(queue.next({ ...free, may: e => e.alone !== 'kb:x' })?.key).toBe('a1')
})

test('real costs move the next start', () => {
  const queue = new FairQueue()
  for (let i = 0; i < 4; i++) {
    queue.add(entry(`a${i}`, 'ada', { rank: i }))
    queue.add(entry(`b${i}`, 'bob', { rank: i }))
  }
  expect(queue.next(free)?.key).toBe('a0')
  queue.correct('ada', 100, 250)
  expect([queue.next(free), queue.next(free), queue.next(free)].map(e => e?.key)).toEqual(['b0', 'b1', 'b2'])
})

test('the position is the number of those given out before it', () => {
  const queue = new FairQueue()
  for (let i = 0; i < 6; i++) {
    queue.add(entry(`a${i}`, 'ada', { rank: i, cost: 50 + i }))
    queue.add(entry(`b${i}`, 'bob', { rank: i, cost: 130 }))
    queue.add(entry(`c${i}`, 'cyd', { rank: i, cost: 70 }))
  }
  queue.next(free)
  const said = new Map(['a5', 'b2', 'c3', 'a1'].map(k => [k, queue.position(k)]))
  const order = drain(queue)
  for (const [key, position] of said) expect(position, key).toBe(order.indexOf(key))
})

test('one removed is not given out and has no position', () => {
  const queue = new FairQueue()
  queue.add(entry('a', 'ada'))
  queue.remove('a')
  expect(queue.position('a')).toBeUndefined()
  expect(queue.next(free)).toBeUndefined()
  expect(queue.size).toBe(0)
})
