import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createKey, listKeys, revokeKey, whoami } from '../../src/contracts/auth.ts'
import { listModels } from '../../src/contracts/models.ts'
import { ownHop } from '../../src/runtime/hop.ts'
import type { Refusal } from '../../src/runtime/refusal.ts'
import type { Instance } from '../helpers/processes.ts'
import { count, exchanged, hopWith, LATE_MS, statusOf, Traffic, until } from '../runtime/revoking.ts'
import { LATE_REQUESTS, newKey, revokeWhile, type Stand, threeAuths } from '../runtime/three-auths.ts'

/** Answered without the store. */
const STORELESS = [whoami, listKeys, listModels]

test('a key that is revoked at one of three instances of auth ends at all of them, whatever happens to one', async () => {
  const s = await threeAuths()
  const { processes } = s
  await revokeWhile(s, { says: 'all run', at: 'auth-1', begin: async () => undefined })
  for (const frozen of ['auth', 'auth-2'] as const)
    await revokeWhile(s, {
      says: `${frozen} is frozen`,
      at: 'auth-1',
      begin: async () => processes.signal(frozen, 'SIGSTOP'),
      end: async () => processes.signal(frozen, 'SIGCONT'),
    })
  await revokeWhile(s, {
    says: 'another was killed and starts again',
    at: 'auth',
    begin: () => processes.kill('auth-1'),
    end: () => processes.again('auth-1'),
  })
  await revokeWhile(s, {
    says: 'the one that did it is killed right after and starts again',
    at: 'auth-2',
    begin: async () => undefined,
    after: () => processes.kill('auth-2'),
    end: () => processes.again('auth-2'),
  })
}, 300_000)

test('while the store is away keys count, new ones are refused, and a revocation holds after everything was started again', async () => {
  const s = await threeAuths()
  const { processes, peer, calls, admin, at } = s
  const all = processes.instances('auth')
  const { key, info } = await newKey(s, 'auth')
  const { key: other } = await newKey(s, 'auth-1')
  const traffic = new Traffic(peer, key, { lanes: 12, routes: STORELESS })
  await until('traffic that is accepted', () => count(traffic.answers, 200) > 50)

  await processes.kill('data')
  const mine = await hopWith(calls, admin, 'auth')
  await expect(
    calls.call(createKey, { ...ownHop(), token: mine.token }, { body: { name: 'new' }, peer: at('auth-1') }),
  ).rejects.toMatchObject({ status: 503, code: 'store_away' })
  expect(await statusOf(peer, other, whoami)).toBe(200)

  const { token } = await hopWith(calls, admin, 'auth')
  const began = performance.now()
  const reply = await calls.raw(
    revokeKey,
    { ...ownHop(), token },
    { params: { id: info.id }, peer: at('auth') },
  )
  expect(reply.status).toBe(202)
  expect(JSON.parse(await reply.body.text())).toEqual({ revoked: info.id, missing: ['store'] })
  // The answer waited 3 s for the store; it counted at a majority long before.
  const revoked = began + 2 * LATE_MS
  await until('enough late requests', () => count(traffic.since(revoked), 401) >= LATE_REQUESTS)
  await traffic.stop()
  expect(count(traffic.since(revoked), 200)).toBe(0)
  expect(await statusOf(peer, other, whoami)).toBe(200)

  // The one that was asked never comes back before the store has it, so the others must have kept it.
  for (const id of all) await processes.kill(id)
  for (const id of all.slice(1)) await processes.again(id)
  const ends = (id: Instance) => exchanged(calls, key, at(id)).catch(thrown => (thrown as Refusal).code)
  for (const id of all.slice(1))
    await until(`${id} to know it`, async () => (await ends(id)) === 'revoked_key')
  await processes.again('data')
  await until('a new key', () => newKey(s, 'auth-1').then(() => true))
  for (const id of all.slice(1)) expect(await ends(id)).toBe('revoked_key')
  await until('the store to hold it', async () => (await pending(s, 'auth-1')) === 0)
  // Its disk is lost too.
  rmSync(join(processes.folder, 'auth'), { recursive: true })
  for (const id of all.slice(1)) await processes.kill(id)
  for (const id of all) await processes.again(id)
  for (const id of all) {
    await until(`${id} to answer`, () => exchanged(calls, other, at(id)).then(() => true))
    expect(await ends(id)).toBe('revoked_key')
  }
}, 120_000)

/** Revocations that the copy of an instance still has to bring to the store. */
async function pending({ processes }: Stand, id: Instance): Promise<number> {
  return JSON.parse(readFileSync(join(processes.folder, id, 'sets.json'), 'utf8')).pending.length
}
