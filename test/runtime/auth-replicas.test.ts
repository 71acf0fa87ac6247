import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createKey, revokeKey, whoami } from '../../src/contracts/auth.ts'
import { ownHop } from '../../src/runtime/hop.ts'
import { Refusal } from '../../src/runtime/refusal.ts'
import { exchanged, hopWith, LATE_MS, many, statusOf, until } from './revoking.ts'
import { LATE_REQUESTS, MEANWHILE_MS, newKey, revokeWhile, threeAuths } from './three-auths.ts'

test('a key of any of three instances of auth counts at all of them, ends at all of them while the first is frozen, and one alone accepts none', async () => {
  const s = await threeAuths()
  const { processes, peer, calls, admin, at } = s
  const all = processes.instances('auth')
  for (const id of all) {
    const { key } = await newKey(s, id)
    const made = performance.now()
    for (const other of all)
      await until(`${other} to know it`, () => exchanged(calls, key, at(other)).then(() => true))
    expect(await statusOf(peer, key, whoami)).toBe(200)
    expect(performance.now() - made, `a key made at ${id}`).toBeLessThan(1_000)
  }
  await revokeWhile(s, {
    says: 'the first is frozen',
    at: 'auth-2',
    begin: async () => processes.signal('auth', 'SIGSTOP'),
    end: async () => processes.signal('auth', 'SIGCONT'),
  })

  await processes.kill('auth-1')
  await processes.kill('auth-2')
  await sleep(LATE_MS)
  const statuses = await many(() => statusOf(peer, admin, whoami), LATE_REQUESTS)
  expect(new Set(statuses)).toEqual(new Set([503]))
  await processes.again('auth-1')
  await until('to be accepted again', async () => (await statusOf(peer, admin, whoami)) === 200)
}, 120_000)

test('an instance that was frozen takes nothing of before, also what was sent to it alone', async () => {
  const s = await threeAuths()
  const { processes, calls, admin, at } = s
  const { key, info } = await newKey(s, 'auth')
  const own = await hopWith(calls, key, 'auth')
  const mine = await hopWith(calls, admin, 'auth')
  const ask = async () => {
    try {
      const hop = { ...ownHop(), token: own.token }
      const reply = await calls.raw(createKey, hop, { body: { name: 'late' }, peer: at('auth-1') })
      await reply.body.text()
      return reply.status
    } catch (thrown) {
      if (thrown instanceof Refusal) return thrown.status
      throw thrown
    }
  }
  // Connections that are open already are read first after a thaw.
  expect(new Set(await many(ask, 50))).toEqual(new Set([201]))
  processes.signal('auth-1', 'SIGSTOP')
  const asked = many(ask, LATE_REQUESTS)
  const { key: fresh } = await newKey(s, 'auth')
  await calls.call(revokeKey, mine, { params: { id: info.id }, peer: at('auth-2') })
  await sleep(MEANWHILE_MS)
  const first = exchanged(calls, fresh, at('auth-1'))
  processes.signal('auth-1', 'SIGCONT')
  expect(new Set(await asked)).toEqual(new Set([401]))
  // A key that was made meanwhile is not called unknown.
  expect((await first).principal.user).toBe('admin')
}, 60_000)
