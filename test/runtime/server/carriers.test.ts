import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Log } from '../../../src/log.ts'
import { silent } from '../../../src/log.ts'
import { ownHop } from '../../../src/runtime/hop.ts'
import { Refusal } from '../../../src/runtime/refusal.ts'
import { body, document, framesOf, later, refusalOf, scoped, serviceOver, small } from './carrier.ts'

describe.each(['socket', 'process'])('over the %s', carrier => {
  test('a handler gets the body with defaults, the caller, request id, deadline and attempt', async () => {
    let seen: unknown
    const { calls } = await serviceOver(carrier, ({ body, hop }) => {
      const { signal: _, cancel: __, ...rest } = hop
      seen = { body, ...rest }
      return { got: body }
    })
    const hop = { ...ownHop(5_000), attempt: 2 }
    expect(await calls.call(document, hop, { body: { text: 'hello' } as never })).toEqual({
      got: { text: 'hello', times: 3 },
    })
    expect(seen).toEqual({
      body: { text: 'hello', times: 3 },
      ...{ requestId: hop.requestId, deadline: hop.deadline, attempt: 2, caller: 'llm', token: undefined },
    })
  })

  test('neither side can reach into what the other holds', async () => {
    const kept = { list: [1], gone: undefined, at: new Date(0) }
    const sent = { ...body, rest: { a: [1] } }
    const { calls } = await serviceOver(carrier, ({ body }) => {
      ;(body as { rest: { a: number[] } }).rest.a.push(2)
      return kept
    })
    const got = (await calls.call(document, ownHop(), { body: sent })) as { list: number[] }
    got.list.push(2)
    expect(got).toEqual({ list: [1, 2], at: '1970-01-01T00:00:00.000Z' })
    expect(kept.list).toEqual([1])
    expect(sent.rest.a).toEqual([1])
  })

  test('nothing answered is an empty document', async () => {
    const { calls } = await serviceOver(carrier, () => undefined)
    expect(await calls.call(document, ownHop(), { body })).toEqual({})
  })

  test('who may not call it is refused', async () => {
    const { calls } = await serviceOver(carrier, () => ({}), { self: 'task' })
    expect(await refusalOf(calls.call(document, ownHop(), { body }))).toMatchObject({
      ...{ status: 403, code: 'caller', message: 'task may not call POST /internal/document.' },
    })
  })

  test.each([
    ['no token', undefined, 401, 'no_token'],
    ['a bad token', 'bad', 401, 'bad_token'],
    ['a token without the scope', 'other', 403, 'scope'],
  ])('for a user, %s is refused', async (_, token, status, code) => {
    const { calls } = await serviceOver(carrier, () => ({}))
    expect(await refusalOf(calls.call(scoped, { ...ownHop(), token }, { body }))).toMatchObject({
      status,
      code,
    })
  })

  test('a token says who the request is for', async () => {
    const { calls } = await serviceOver(carrier, ({ who }) => who)
    expect(await calls.call(scoped, { ...ownHop(), token: 'asker' }, { body })).toMatchObject({ user: 'eva' })
  })

  test.each([
    [
      'a field that no schema knows',
      { ...body, other: 1 },
      /^body must NOT have additional properties \(other\)/,
    ],
    ['a wrong type', { ...body, text: 1 }, /^body\/text must be string/],
    ['no body', undefined, /^body must be object/],
    ['endless nesting', { ...body, rest: nested(70) }, /nested deeper than 64 levels/],
    ['a field __proto__', { ...body, rest: JSON.parse('{"__proto__":{"a":1}}') }, /__proto__/],
  ])('%s is refused', async (_, sent, says) => {
    const { calls } = await serviceOver(carrier, () => ({}))
    const refusal = await refusalOf(calls.call(document, ownHop(), { body: sent as never }))
    expect(refusal).toMatchObject({ status: 400, message: expect.stringMatching(says) })
  })

  test('a body over the limit of its route is refused', async () => {
    const { calls } = await serviceOver(carrier, () => ({}))
    const large = { ...body, text: 'x'.repeat(100) }
    expect(await refusalOf(calls.call(small, ownHop(), { body: large }))).toMatchObject({
      status: 413,
      code: 'too_large',
    })
    const larger = { ...body, text: 'x'.repeat(1024 * 1024) }
    expect(await refusalOf(calls.call(document, ownHop(), { body: larger }))).toMatchObject({ status: 413 })
  })

  test('a Refusal arrives as it was thrown, without its cause', async () => {
    const { calls } = await serviceOver(carrier, () => {
      throw new Refusal(429, 'busy', 'Busy.', {
        next: 'Wait.',
        retryAfterSeconds: 7,
        cause: new Error('secret'),
      })
    })
    const thrown = await calls.call(document, ownHop(), { body }).catch((e: Refusal) => e)
    expect(thrown).toMatchObject({
      status: 429,
      code: 'busy',
      message: 'Busy.',
      next: 'Wait.',
      retryAfterSeconds: 7,
    })
    expect((thrown as Refusal).cause).toBeUndefined()
  })

  test('what else is thrown is a 500 with one line in the log', async () => {
    const logged: [object, string][] = []
    const log = { ...silent, error: (what: object, says: string) => void logged.push([what, says]) } as Log
    const { calls } = await serviceOver(carrier, () => Promise.reject(new Error('lost')), { log })
    const hop = ownHop()
    expect(await refusalOf(calls.call(document, hop, { body }))).toMatchObject({
      status: 500,
      code: 'internal',
    })
    expect(logged).toMatchObject([
      [{ requestId: hop.requestId, status: 500 }, 'POST /internal/document failed'],
    ])
  })

  test('a deadline that has passed is refused at once, one that passes aborts the handler', async () => {
    let aborted: unknown
    const { calls } = await serviceOver(carrier, async ({ hop }) => {
      await once(hop.signal, 'abort')
      aborted = hop.signal.reason
      throw hop.signal.reason
    })
    const past = { ...ownHop(), deadline: Date.now() - 1 }
    expect(await refusalOf(calls.call(document, past, { body }))).toMatchObject({
      status: 504,
      code: 'deadline',
    })
    expect(aborted).toBeUndefined()
    const soon = { ...ownHop(), deadline: Date.now() + 100 }
    expect(await refusalOf(calls.call(document, soon, { body }))).toMatchObject({
      status: 504,
      code: 'deadline',
    })
    expect(aborted).toMatchObject({ status: 504 })
    expect(await refusalOf(calls.call(document, ownHop(100), { body }))).toMatchObject({ status: 504 })
    const early = { ...ownHop(), signal: AbortSignal.timeout(100) }
    expect(await refusalOf(calls.call(document, early, { body }))).toMatchObject({ status: 504 })
  })

  test('a caller that leaves has its reason at once, and the handler is told', async () => {
    const told = later<unknown>()
    const begun = later<void>()
    const { calls } = await serviceOver(carrier, ({ hop }) => {
      hop.signal.addEventListener('abort', () => told.resolve(hop.signal.reason))
      begun.resolve()
      return new Promise(() => {})
    })
    const leave = new AbortController()
    const call = calls.call(document, ownHop(10_000, leave.signal), { body })
    await begun.promise
    leave.abort(new Error('I left'))
    await expect(call).rejects.toThrow('I left')
    expect(await told.promise).toMatchObject({ status: 499 })
  })

  test('one that had left before it called calls nobody', async () => {
    let asked = 0
    const { calls } = await serviceOver(carrier, () => ++asked)
    const hop = ownHop(10_000, AbortSignal.abort(new Error('left before')))
    await expect(calls.call(document, hop, { body })).rejects.toThrow('left before')
    await expect(framesOf(calls, hop)).rejects.toThrow('left before')
    expect(asked).toBe(0)
  })

  test('a service that stops lets run what runs, and is then not reached', async () => {
    const go = later<void>()
    const begun = later<void>()
    const { calls, close } = await serviceOver(carrier, async () => {
      begun.resolve()
      await go.promise
      return { done: true }
    })
    const running = calls.call(document, ownHop(), { body })
    await begun.promise
    const closed = close()
    go.resolve()
    expect(await running).toEqual({ done: true })
    await closed
    expect(await refusalOf(calls.call(document, ownHop(), { body }))).toMatchObject({
      status: 503,
      code: 'unavailable',
    })
  })

  test('what runs longer than a stopping service waits is cut', async () => {
    const begun = later<void>()
    const aborted = later<unknown>()
    const { calls, close } = await serviceOver(carrier, ({ hop }) => {
      hop.signal.addEventListener('abort', () => aborted.resolve(hop.signal.reason))
      begun.resolve()
      return new Promise(() => {})
    })
    const refusal = refusalOf(calls.call(document, ownHop(), { body }))
    await begun.promise
    await close(50)
    expect(await refusal).toMatchObject({ status: 503, code: 'cut' })
    expect(await aborted.promise).toMatchObject({ status: 499 })
  })

  test('each answer is counted by route and status', async () => {
    let thrown: Error | undefined
    const { calls, metrics } = await serviceOver(carrier, () => {
      if (thrown) throw thrown
      return {}
    })
    await calls.call(document, ownHop(), { body })
    thrown = new Refusal(409, 'taken', 'Taken.')
    await refusalOf(calls.call(document, ownHop(), { body }))
    await sleep(20)
    const text = await metrics.registry.metrics()
    for (const status of [201, 409])
      expect(text).toMatch(new RegExp(`seconds_count{.*route="/internal/document",status="${status}".*} 1`))
  })
})

function nested(levels: number): unknown {
  return levels === 0 ? 1 : { a: nested(levels - 1) }
}
