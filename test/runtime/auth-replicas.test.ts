import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { bootstrapKey, createKey, listKeys, revokeKey, whoami } from '../../src/contracts/auth.ts'
import { listModels } from '../../src/contracts/models.ts'
import { waitFor } from '../../src/retry.ts'
import { ownHop } from '../../src/runtime/hop.ts'
import { Refusal } from '../../src/runtime/refusal.ts'
import { Calls, Peer } from '../../src/runtime/transport.ts'
import { type Instance, Processes } from '../helpers/processes.ts'
import { count, exchanged, hopWith, LATE_MS, many, ROUTES, statusOf, Traffic, until } from './revoking.ts'

const MEANWHILE_MS = 2_000
const LATE_REQUESTS = 1_000
/** Answered without the store. */
const STORELESS = [whoami, listKeys, listModels]

/** Three instances of auth, and a way to each of them. */
async function stand() {
  const processes = await new Processes({ replicas: { auth: 3 } }).start([
    ...(['data', 'auth', 'worker', 'llm', 'gateway'] as const),
  ])
  const peer = new Peer('gateway', { url: processes.url })
  const calls = new Calls('gateway', processes.services)
  const auth = new Calls('auth', processes.services)
  onTestFinished(() => Promise.all([peer, calls, auth].map(c => c.close())).then(() => undefined))
  const { key: admin } = await waitFor({ says: 'an admin key', deadlineMs: 20_000 }, () =>
    auth.call(bootstrapKey, ownHop(), { body: { name: 'test' } }),
  )
  for (const route of ROUTES)
    await until(`an answer of ${route.to}`, async () => (await statusOf(peer, admin, route)) === 200)
  const at = (id: Instance) => calls.peers('auth')[processes.instances('auth').indexOf(id)]!
  return { processes, peer, calls, admin, at }
}

type Stand = Awaited<ReturnType<typeof stand>>

test('three instances of auth act as one: keys of any count at all, and end at all, whatever happens to one of them', async () => {
  const s = await stand()
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

  await revokeWhile(s, { says: 'all run', at: 'auth-1', begin: async () => undefined })
  await revokeWhile(s, {
    says: 'the first is frozen',
    at: 'auth-2',
    begin: async () => processes.signal('auth', 'SIGSTOP'),
    end: async () => processes.signal('auth', 'SIGCONT'),
  })
  await revokeWhile(s, {
    says: 'one was killed',
    at: 'auth',
    begin: () => processes.kill('auth-1'),
    end: () => processes.again('auth-1'),
  })
  await revokeWhile(s, {
    says: 'the one that did it is killed right after, and starts again',
    at: 'auth-2',
    begin: async () => undefined,
    after: () => processes.kill('auth-2'),
    end: () => processes.again('auth-2'),
  })

  // Nobody is accepted on the word of one of three.
  await processes.kill('auth-1')
  await processes.kill('auth-2')
  await sleep(LATE_MS)
  const statuses = await many(() => statusOf(peer, admin, whoami), LATE_REQUESTS)
  expect(new Set(statuses)).toEqual(new Set([503]))
  await processes.again('auth-1')
  await until('to be accepted again', async () => (await statusOf(peer, admin, whoami)) === 200)
  await processes.again('auth-2')
}, 120_000)

test('while the store is away keys count, new ones are refused, and a revocation holds after everything was started again', async () => {
  const s = await stand()
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
  // It counts at a majority long before the wait for the store is over.
  await until('enough late requests', () => traffic.since(performance.now() - 300).length > 0)
  await sleep(LATE_MS)
  await traffic.stop()
  const revoked = began + 200 + LATE_MS
  expect(count(traffic.since(revoked), 200)).toBe(0)
  expect(count(traffic.since(revoked), 401)).toBeGreaterThan(LATE_REQUESTS)
  expect(await statusOf(peer, other, whoami)).toBe(200)

  // The one that was asked never comes back before the store has it, so the others must have kept it.
  for (const id of all) await processes.kill(id)
  for (const id of all.slice(1)) await processes.again(id)
  const ends = (id: Instance) => exchanged(calls, key, at(id)).catch(thrown => (thrown as Refusal).code)
  for (const id of all.slice(1))
    await until(`${id} to know it`, async () => (await ends(id)) === 'revoked_key')
  await processes.again('data')
  await until('a new key', () => newKey(s, 'auth-1').then(() => true))
  for (const id of all.slice(1)) await processes.kill(id)
  for (const id of all) await processes.again(id)
  for (const id of all) {
    await until(`${id} to answer`, () => exchanged(calls, other, at(id)).then(() => true))
    expect(await ends(id)).toBe('revoked_key')
  }
}, 120_000)

test('an instance that was frozen takes nothing of before, also what was sent to it alone', async () => {
  const s = await stand()
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

async function newKey({ calls, admin, at }: Stand, id: Instance) {
  const hop = await hopWith(calls, admin, 'auth')
  return calls.call(createKey, hop, { body: { name: `at ${id}` }, peer: at(id) })
}

/** A key under traffic through the gateway is revoked at one instance while something happens to another. */
async function revokeWhile(
  s: Stand,
  o: {
    says: string
    at: Instance
    begin(): Promise<void>
    after?(): Promise<void>
    end?(): Promise<void>
  },
): Promise<void> {
  const { processes, peer, calls, admin, at } = s
  const { key, info } = await newKey(s, o.at)
  // Requests to a frozen service wait for its thaw, so the others have lanes of their own.
  const lanes = [
    new Traffic(peer, key, { lanes: 12, routes: ROUTES.filter(r => r.to === 'auth') }),
    new Traffic(peer, key, { lanes: 12, routes: ROUTES.filter(r => r.to !== 'auth') }),
  ]
  const since = (time: number) => lanes.flatMap(t => t.since(time))
  await until('traffic that is accepted', () => since(0).filter(a => a.status === 200).length > 50)
  expect(since(0).filter(a => a.status !== 200)).toEqual([])

  const { token } = await hopWith(calls, admin, 'auth')
  await o.begin()
  await calls.call(revokeKey, { ...ownHop(), token }, { params: { id: info.id }, peer: at(o.at) })
  const revoked = performance.now()
  await o.after?.()
  await sleep(MEANWHILE_MS)
  await o.end?.()
  for (const id of processes.instances('auth'))
    await until(`${id} to answer`, () => exchanged(calls, admin, at(id)).then(() => true))
  await until('enough late requests', () => since(revoked + LATE_MS).length >= LATE_REQUESTS)
  await Promise.all(lanes.map(t => t.stop()))

  const late = since(revoked + LATE_MS)
  expect(count(late, 200), `accepted late while ${o.says}`).toBe(0)
  expect(late.filter(a => ![401, 503].includes(a.status))).toEqual([])
  expect(count(late, 401)).toBeGreaterThan(0)
  for (const id of processes.instances('auth'))
    await expect(exchanged(calls, key, at(id)), `${id} while ${o.says}`).rejects.toMatchObject({
      code: 'revoked_key',
    })
}
