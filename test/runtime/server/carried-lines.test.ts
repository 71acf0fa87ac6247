import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { ownHop } from '../../../src/runtime/hop.ts'
import { Refusal } from '../../../src/runtime/refusal.ts'
import { type Answer, body, framesOf, later, lines, refusalOf, serviceOver } from './carrier.ts'

describe.each(['socket', 'process'])('over the %s', carrier => {
  test('frames come in their order, as copies', async () => {
    const kept = { type: 'state', list: [1], gone: undefined }
    const { calls } = await serviceOver(carrier, async function* () {
      yield kept
      for (const text of ['a', 'b', 'c']) {
        yield { type: 'text', text }
        await sleep(1)
      }
      yield { type: 'end' }
    } as Answer)
    const frames = await framesOf(calls)
    expect(frames[0]).toEqual({ type: 'state', list: [1] })
    expect(frames[0]).not.toBe(kept)
    expect(frames.map(f => (f as { text?: string }).text ?? '').join('')).toBe('abc')
    expect(frames.at(-1)).toEqual({ type: 'end' })
  })

  test('each silent second has a beat, the first one included', async () => {
    const { calls } = await serviceOver(carrier, async function* () {
      await sleep(2_300)
      yield { type: 'text', text: 'late' }
      await sleep(1_300)
      yield { type: 'end' }
    } as Answer)
    const frames = await framesOf(calls)
    const types = frames.map(f => (f as { type: string }).type)
    expect(types.filter(t => t !== 'beat')).toEqual(['text', 'end'])
    expect(types.indexOf('text')).toBeGreaterThanOrEqual(1)
    expect(types.indexOf('end')).toBeGreaterThan(types.indexOf('text') + 1)
  })

  test('what is thrown before the first frame is a Refusal, after it the last frame', async () => {
    const busy = () => new Refusal(503, 'busy', 'Busy.', { next: 'Wait.' })
    const before = await serviceOver(carrier, async function* () {
      yield* [] as object[]
      throw busy()
    } as Answer)
    expect(await refusalOf(framesOf(before.calls))).toMatchObject({
      status: 503,
      code: 'busy',
      next: 'Wait.',
    })
    const after = await serviceOver(carrier, async function* () {
      yield { type: 'text', text: 'a' }
      await sleep(5)
      throw busy()
    } as Answer)
    const hop = ownHop()
    const error = { code: 'busy', message: 'Busy.', next: 'Wait.', requestId: hop.requestId, status: 503 }
    expect(await framesOf(after.calls, hop)).toEqual([
      { type: 'text', text: 'a' },
      { type: 'error', error },
    ])
  })

  test('an answer whose reader leaves at the last frame is counted, and no cause to abort anything', async () => {
    let aborted = false
    const ended = later<void>()
    const { calls, metrics } = await serviceOver(carrier, async function* ({ hop }: Parameters<Answer>[0]) {
      hop.signal.addEventListener('abort', () => {
        aborted = true
      })
      try {
        yield { type: 'text', text: 'a' }
        yield { type: 'end' }
      } finally {
        ended.resolve()
      }
    } as Answer)
    for await (const frame of calls.lines<{ type: string }>(lines, ownHop(), { body }))
      if (frame.type === 'end') break
    await ended.promise
    await sleep(20)
    expect(aborted).toBe(false)
    expect(await metrics.registry.metrics()).toMatch(
      /seconds_count{.*route="\/internal\/lines",status="200".*} 1/,
    )
  })

  test('a reader that leaves early ends the handler', async () => {
    const ended = later<void>()
    const aborted = later<unknown>()
    const { calls } = await serviceOver(carrier, async function* ({ hop }: Parameters<Answer>[0]) {
      hop.signal.addEventListener('abort', () => aborted.resolve(hop.signal.reason))
      try {
        for (let n = 0; ; n++) {
          yield { type: 'text', text: String(n) }
          await sleep(5)
        }
      } finally {
        ended.resolve()
      }
    } as Answer)
    for await (const _ of calls.lines(lines, ownHop(), { body })) break
    await ended.promise
    expect(await aborted.promise).toMatchObject({ status: 499 })
  })

  test('a caller that is aborted while it waits for a frame has its reason at once', async () => {
    const aborted = later<unknown>()
    const { calls } = await serviceOver(carrier, async function* ({ hop }: Parameters<Answer>[0]) {
      hop.signal.addEventListener('abort', () => aborted.resolve(hop.signal.reason))
      yield { type: 'text', text: 'a' }
      await new Promise(() => {})
    } as Answer)
    const leave = new AbortController()
    const read = (async () => {
      for await (const _ of calls.lines(lines, ownHop(10_000, leave.signal), { body }))
        leave.abort(new Error('I left'))
    })()
    await expect(read).rejects.toThrow('I left')
    expect(await aborted.promise).toMatchObject({ status: 499 })
  })
})
