import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { feed, jwks } from '../../../src/contracts/auth.ts'
import type { Principal } from '../../../src/contracts/identity.ts'
import { silent } from '../../../src/log.ts'
import { importKey, newSigningPair, signToken } from '../../../src/runtime/identity/tokens.ts'
import { Verifier } from '../../../src/runtime/identity/verifier.ts'
import { Metrics } from '../../../src/runtime/metrics.ts'
import { buildApp } from '../../../src/runtime/server/app.ts'
import { handle } from '../../../src/runtime/server/handle.ts'
import { Calls } from '../../../src/runtime/transport.ts'
import { tempFolder } from '../../helpers/temp.ts'

export const PRINCIPAL: Principal = { user: 'bea', key: 'k'.repeat(16), role: 'user', scopes: ['ask'] }

/** A stand-in for the auth service whose feed a test can hold back, change and restart; `clock` sets the verifier's ahead by milliseconds. */
export async function standIn(o: { holdMs?: number } = {}) {
  const socket = join(tempFolder(), 'auth.sock')
  const pair = await newSigningPair()
  const key = await importKey(pair.privateJwk)
  const script = {
    boot: 'a',
    version: 0,
    revoked: [] as string[],
    changed: [] as string[],
    polls: 0,
    jwksAsked: 0,
    clock: 0,
    gate: undefined as Promise<void> | undefined,
    published: [pair.publicJwk],
  }
  const app = buildApp({ log: silent, metrics: new Metrics('auth') })
  const nobody = () => Promise.reject(new Error('no tokens here'))
  handle(app, feed, nobody, async () => {
    script.polls += 1
    const { boot, version, revoked, changed } = script
    const answer = { boot, version, revoked: [...revoked], changed: [...changed], maxStaleMs: 1000 }
    await script.gate
    return answer
  })
  handle(app, jwks, nobody, async () => {
    script.jwksAsked += 1
    return { keys: script.published as Record<string, unknown>[] }
  })
  await app.listen({ path: socket })
  const calls = new Calls('llm', { auth: [{ socket }] })
  const verifier = new Verifier({
    self: 'llm',
    calls,
    log: silent,
    now: () => performance.now() + script.clock,
    holdMs: o.holdMs,
  })
  onTestFinished(async () => {
    verifier.stop()
    await calls.close()
    await app.close()
  })
  verifier.start()
  const token = (
    over: { audience?: readonly 'llm'[] | readonly 'data'[]; expiresAt?: number; principal?: Principal } = {},
  ) =>
    signToken({
      key,
      kid: pair.kid,
      principal: PRINCIPAL,
      audience: ['llm'],
      expiresAt: Date.now() + 60_000,
      ...over,
    })
  return { script, verifier, token, pair, key, stop: () => app.close() }
}
