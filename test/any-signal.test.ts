import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { anySignal } from '../src/any-signal.ts'

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

/** Signals that nobody else holds, joined twice over, as the tries of a call with a deadline are. */
const joined = (ending: AbortSignal, deadlineMs: number) =>
  anySignal([anySignal([ending, AbortSignal.timeout(deadlineMs)]), AbortSignal.timeout(60_000)])

test('a deadline that nobody else holds comes also after the garbage was collected', async () => {
  const ending = new AbortController()
  let came = 0
  for (let i = 0; i < 100; i++) joined(ending.signal, 300).addEventListener('abort', () => came++)
  await sleep(20)
  gc()
  await sleep(20)
  gc()
  await sleep(500)
  expect(came).toBe(100)
})

test('the first of several ends it, with its reason', () => {
  const ending = new AbortController()
  const either = joined(ending.signal, 60_000)
  ending.abort(new Error('it is over'))
  expect(either.reason).toEqual(new Error('it is over'))
})

test('what nobody listens to any more is collected with its sources', async () => {
  const ending = new AbortController()
  const made = Array.from({ length: 100 }, () => new WeakRef(joined(ending.signal, 60_000)))
  await sleep(20)
  gc()
  await sleep(20)
  gc()
  expect(made.filter(ref => ref.deref()).length).toBeLessThan(10)
})
