import { expect, test } from 'vitest'
import { Admission, type Class, type Place } from '../../../../src/runtime/services/worker/admission.ts'

const never = () => new AbortController().signal
const enter = (a: Admission, wanted: Class = 'interactive', signal: AbortSignal = never()) =>
  a.enter({ class: wanted, stop: signal })

const counts = (a: Admission) => [a.running, a.queued]

async function positions(place: Place): Promise<number[]> {
  const seen: number[] = []
  for await (const p of place.wait()) seen.push(p)
  return seen
}

test('runs as many as it has slots, lets as many wait, and refuses the next with when to come back', () => {
  const a = new Admission({ slots: 2 })
  for (let i = 0; i < 4; i++) enter(a)
  expect(counts(a)).toEqual([2, 2])
  expect(() => enter(a)).toThrowError(expect.objectContaining({ status: 429, retryAfterSeconds: 1 }))
  expect(counts(a)).toEqual([2, 2])
})

test('those who wait see their position move up, then run in order', async () => {
  const a = new Admission({ slots: 2 })
  const running = [enter(a), enter(a)]
  const first = enter(a)
  const second = enter(a)
  const seen = [positions(first), positions(second)]
  await new Promise(setImmediate)
  running[0]!.leave()
  await new Promise(setImmediate)
  expect([first.started, second.started]).toEqual([true, false])
  first.leave()
  expect(second.started).toBe(true)
  expect(await Promise.all(seen)).toEqual([[1], [2, 1]])
})

test('while an interactive request waits no task starts', () => {
  const a = new Admission({ slots: 3 })
  const running = [enter(a), enter(a), enter(a)]
  const task = enter(a, 'task')
  const interactive = enter(a)
  expect([interactive.position, task.position]).toEqual([1, 2])
  running[0]!.leave()
  expect([interactive.started, task.started]).toEqual([true, false])
  running[1]!.leave()
  expect(task.started).toBe(true)
})

test('with two or more slots one is never given to tasks, and a lone slot serves both', () => {
  const a = new Admission({ slots: 3 })
  const tasks = [enter(a, 'task'), enter(a, 'task'), enter(a, 'task')]
  expect(tasks.map(t => t.started)).toEqual([true, true, false])
  expect(enter(a).started).toBe(true)
  const one = new Admission({ slots: 1 })
  expect(enter(one, 'task').started).toBe(true)
})

test('a full line gives up its last task for an interactive request, never the other way round', async () => {
  const a = new Admission({ slots: 2 })
  const running = [enter(a), enter(a)]
  const tasks = [enter(a, 'task'), enter(a, 'task')]
  const refused = positions(tasks[1]!)
  enter(a)
  await expect(refused).rejects.toMatchObject({ status: 429 })
  expect(counts(a)).toEqual([2, 2])
  expect(() => enter(a, 'task')).toThrowError(expect.objectContaining({ status: 429 }))
  enter(a)
  expect(() => enter(a)).toThrowError(expect.objectContaining({ status: 429 }))
  for (const r of running) r.leave()
  expect(counts(a)).toEqual([2, 0])
})

test('whoever goes while waiting leaves the line; whoever goes while running is told and leaves once', async () => {
  const a = new Admission({ slots: 1 })
  const [gone, alsoGone] = [new AbortController(), new AbortController()]
  const running = enter(a, 'interactive', gone.signal)
  const waiting = enter(a, 'interactive', alsoGone.signal)
  const waited = positions(waiting)
  alsoGone.abort(new Error('left'))
  await expect(waited).rejects.toThrow('left')
  expect(counts(a)).toEqual([1, 0])
  gone.abort(new Error('left too'))
  expect(running.signal.aborted).toBe(true)
  expect(counts(a)).toEqual([1, 0])
  running.leave()
  running.leave()
  expect(counts(a)).toEqual([0, 0])
  expect(() => enter(a, 'interactive', gone.signal)).toThrow('left too')
  expect(counts(a)).toEqual([0, 0])
})

test('closing refuses those who wait, lets the running end, and aborts what is late', async () => {
  const a = new Admission({ slots: 2 })
  const [ends, stays] = [enter(a), enter(a)]
  const waiting = positions(enter(a))
  stays.signal.addEventListener('abort', () => stays.leave())
  const closed = a.close(50)
  await expect(waiting).rejects.toMatchObject({ status: 503 })
  expect(() => enter(a)).toThrowError(expect.objectContaining({ status: 503 }))
  ends.leave()
  await closed
  expect(counts(a)).toEqual([0, 0])
})

test('counters come back to 0 after any mix of comings and goings', () => {
  let seed = 42
  const random = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    return seed / 2_147_483_648
  }
  const a = new Admission({ slots: 4 })
  const open: { place: Place; gone: AbortController }[] = []
  for (let i = 0; i < 5_000; i++) {
    const gone = new AbortController()
    try {
      open.push({ place: enter(a, random() < 0.5 ? 'task' : 'interactive', gone.signal), gone })
    } catch {}
    expect(a.running).toBeLessThanOrEqual(4)
    expect(a.queued).toBeLessThanOrEqual(4)
    const tasks = open.filter(o => o.place.started && o.place.class === 'task').length
    expect(tasks).toBeLessThanOrEqual(3)
    if (random() < 0.6 && open.length) {
      const [{ place, gone: leaver }] = open.splice(Math.floor(random() * open.length), 1) as [
        (typeof open)[0],
      ]
      if (random() < 0.5) leaver.abort()
      place.leave()
    }
  }
  for (const { place } of open) place.leave()
  expect(counts(a)).toEqual([0, 0])
})
