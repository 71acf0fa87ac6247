import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { silent } from '../../../src/log.ts'
import { waitFor } from '../../../src/retry.ts'
import { importKey, newSigningPair, signToken } from '../../../src/runtime/identity/tokens.ts'
import { Verifier } from '../../../src/runtime/identity/verifier.ts'
import { Calls } from '../../../src/runtime/transport.ts'
import { tempFolder } from '../../helpers/temp.ts'
import { PRINCIPAL, standIn } from './stand-in.ts'

const polled = (script: { polls: number }, n: number) =>
  waitFor({ says: `poll ${n}`, deadlineMs: 5_000, everyMs: 5 }, () => (script.polls >= n ? true : undefined))

describe('freshness', () => {
  test('a token is accepted while the feed answers, with all that it says', async () => {
    const { verifier, token } = await standIn()
    expect(await verifier.verify(await token())).toEqual(PRINCIPAL)
    const models = { ...PRINCIPAL, models: ['small'] }
    expect(await verifier.verify(await token({ principal: models }))).toEqual(models)
  })

  test('nothing is accepted once the last answered poll was sent a second ago, however lately its answer came', async () => {
    const { verifier, token, script } = await standIn({ holdMs: 50 })
    const good = await token()
    await verifier.verify(good)
    let open = () => {}
    script.gate = new Promise(resolve => {
      open = resolve
    })
    const before = script.polls
    await polled(script, before + 1)
    // Frozen here: the answer was in the pipe for five seconds and is read only now.
    script.clock += 5_000
    open()
    script.gate = new Promise(() => {})
    await expect(verifier.verify(good)).rejects.toMatchObject({
      status: 503,
      code: 'not_fresh',
      retryAfterSeconds: 1,
    })
    expect(verifier.lagMs()).toBeGreaterThanOrEqual(5_000)
  })

  test('a request that finds it stale is held until a new poll is answered, which is sent at once', async () => {
    const { verifier, token, script } = await standIn()
    const good = await token()
    await verifier.verify(good)
    script.clock += 5_000
    script.revoked = [PRINCIPAL.key]
    script.version = 1
    await expect(verifier.verify(good)).rejects.toMatchObject({ status: 401, code: 'revoked_key' })
    const other = await token({ principal: { ...PRINCIPAL, key: 'o'.repeat(16) } })
    expect(await verifier.verify(other)).toMatchObject({ user: 'bea' })
  })

  test('before the first answer nothing is accepted', async () => {
    const calls = new Calls('llm', { auth: [{ socket: join(tempFolder(), 'nobody.sock') }] })
    const verifier = new Verifier({ self: 'llm', calls, log: silent, holdMs: 30 })
    onTestFinished(() => verifier.stop())
    verifier.start()
    await expect(verifier.fresh()).rejects.toMatchObject({ status: 503 })
    expect(verifier.lagMs()).toBe(Number.POSITIVE_INFINITY)
    expect(verifier.missing()).toHaveLength(1)
  })

  test('it is ready as long as a request would be accepted, be it after a moment', async () => {
    const { verifier, token, script } = await standIn({ holdMs: 3_000 })
    await verifier.verify(await token())
    expect(verifier.missing()).toEqual([])
    script.clock += 2_000
    expect(verifier.isFresh()).toBe(false)
    expect(verifier.missing()).toEqual([])
    script.clock += 5_000
    expect(verifier.missing()).toHaveLength(1)
  })

  test('a revocation is told to listeners once, and a restart of auth tells them to forget everything', async () => {
    const { verifier, script } = await standIn()
    const told: [string[], string[], boolean][] = []
    verifier.onChange((...change) => told.push(change))
    await verifier.fresh()
    script.revoked = ['x']
    script.changed = ['y']
    script.version = 1
    await waitFor({ says: 'news', deadlineMs: 5_000 }, () => (told.length > 0 ? true : undefined))
    expect(told).toEqual([[['y'], ['x'], false]])
    expect(verifier.isRevoked('x')).toBe(true)
    const seen = script.polls
    await polled(script, seen + 2)
    expect(told).toHaveLength(1)
    script.boot = 'b'
    script.revoked = []
    script.changed = []
    await waitFor({ says: 'news', deadlineMs: 5_000 }, () => (told.length > 1 ? true : undefined))
    expect(told[1]).toEqual([[], [], true])
  })

  test('a token that was read once is not read again, and still refused when its key is revoked', async () => {
    const { verifier, token, script } = await standIn()
    const good = await token()
    await verifier.verify(good)
    const asked = script.jwksAsked
    for (let i = 0; i < 100; i++) await verifier.verify(good)
    expect(script.jwksAsked).toBe(asked)
    script.revoked = [PRINCIPAL.key]
    script.version = 1
    await waitFor({ says: 'the revocation', deadlineMs: 5_000 }, () =>
      verifier.isRevoked(PRINCIPAL.key) ? true : undefined,
    )
    await expect(verifier.verify(good)).rejects.toMatchObject({ status: 401, code: 'revoked_key' })
  })
})

test('a signing key that was published before its use is known when it comes', async () => {
  const { verifier, script, token: own } = await standIn()
  await verifier.verify(await own())
  const next = await newSigningPair()
  script.published.push(next.publicJwk)
  script.clock += 61_000
  await waitFor({ says: 'the keys to be read again', deadlineMs: 5_000 }, () =>
    script.jwksAsked > 1 ? true : undefined,
  )
  const token = await signToken({
    key: await importKey(next.privateJwk),
    kid: next.kid,
    principal: PRINCIPAL,
    audience: ['llm'],
    expiresAt: Date.now() + 60_000,
  })
  expect(await verifier.verify(token)).toEqual(PRINCIPAL)
})
