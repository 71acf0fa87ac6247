import { describe, expect, test } from 'vitest'
import { Limits } from '../../../../src/runtime/services/gateway/limits.ts'

function at0() {
  const clock = { now: 0 }
  return { clock, limits: new Limits(() => clock.now) }
}
const ask = (
  limits: Limits,
  o: { rpm?: number; tpm?: number; tokens?: number; key?: string; deadlineMs?: number },
) =>
  limits.reserve({
    keyId: o.key ?? 'k',
    limits: { requestsPerMinute: o.rpm, tokensPerMinute: o.tpm },
    tokens: o.tokens ?? 0,
    deadlineMs: o.deadlineMs,
  })

describe('requests per minute', () => {
  test('never more than the limit in any 60 seconds', () => {
    const { clock, limits } = at0()
    const accepted: number[] = []
    for (clock.now = 0; clock.now < 300_000; clock.now += 137)
      if (ask(limits, { rpm: 10 }).ok) accepted.push(clock.now)
    for (const from of accepted) {
      const within = accepted.filter(t => t >= from && t < from + 60_000)
      expect(within.length).toBeLessThanOrEqual(10)
    }
    expect(accepted.length).toBeGreaterThanOrEqual(45)
  })

  test('it says when to come back, and then it holds', () => {
    const { clock, limits } = at0()
    for (let i = 0; i < 3; i++) expect(ask(limits, { rpm: 3 }).ok).toBe(true)
    clock.now = 20_000
    const refused = ask(limits, { rpm: 3 })
    expect(refused).toEqual({ ok: false, limit: 'requests', retryAfterSeconds: 41 })
    clock.now += 41_000
    expect(ask(limits, { rpm: 3 }).ok).toBe(true)
  })

  test('keys do not share, and a key without limits is not counted', () => {
    const { limits } = at0()
    expect(ask(limits, { rpm: 1, key: 'a' }).ok).toBe(true)
    expect(ask(limits, { rpm: 1, key: 'a' }).ok).toBe(false)
    expect(ask(limits, { rpm: 1, key: 'b' }).ok).toBe(true)
    for (let i = 0; i < 1000; i++) expect(ask(limits, { key: 'c', tokens: 1e6 }).ok).toBe(true)
    expect(limits.size).toBe(2)
  })
})

describe('tokens per minute', () => {
  test('the most that a request may cost is taken out first and put right when it ends', () => {
    const { limits } = at0()
    const first = ask(limits, { tpm: 1000, tokens: 800 })
    expect(ask(limits, { tpm: 1000, tokens: 300 })).toMatchObject({ ok: false, limit: 'tokens' })
    if (first.ok) first.settle(100)
    expect(ask(limits, { tpm: 1000, tokens: 300 }).ok).toBe(true)
    expect(ask(limits, { tpm: 1000, tokens: 601 }).ok).toBe(false)
    expect(ask(limits, { tpm: 1000, tokens: 600 }).ok).toBe(true)
  })

  test('settling twice counts once, and what really was spent counts although it is more than was reserved', () => {
    const { clock, limits } = at0()
    const first = ask(limits, { tpm: 1000, tokens: 100 })
    if (first.ok) {
      first.settle(1500)
      first.settle(1500)
    }
    expect(ask(limits, { tpm: 1000, tokens: 0 }).ok).toBe(false)
    clock.now = 61_000
    expect(ask(limits, { tpm: 1000, tokens: 1000 }).ok).toBe(true)
  })

  test('a reservation falls with its deadline', () => {
    const { clock, limits } = at0()
    ask(limits, { tpm: 1000, tokens: 900, deadlineMs: 5_000 })
    clock.now = 4_999
    expect(ask(limits, { tpm: 1000, tokens: 200 })).toMatchObject({ ok: false, retryAfterSeconds: 1 })
    clock.now = 5_000
    expect(ask(limits, { tpm: 1000, tokens: 200 }).ok).toBe(true)
  })

  test('a request larger than the whole limit runs alone', () => {
    const { limits } = at0()
    const big = ask(limits, { tpm: 1000, tokens: 5000 })
    expect(big.ok).toBe(true)
    expect(ask(limits, { tpm: 1000, tokens: 1 }).ok).toBe(false)
  })
})

test('keys that were not used for a while are forgotten', () => {
  const { clock, limits } = at0()
  for (let i = 0; i < 10_000; i++) {
    const got = ask(limits, { rpm: 5, tpm: 100, tokens: 10, key: `k${i}` })
    if (got.ok) got.settle(5)
  }
  expect(limits.size).toBe(10_000)
  clock.now = 130_000
  ask(limits, { rpm: 5, key: 'other' })
  expect(limits.size).toBe(1)
})
