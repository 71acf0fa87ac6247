import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished } from 'vitest'
import { bootstrapKey, createKey, revokeKey } from '../../src/contracts/auth.ts'
import { waitFor } from '../../src/retry.ts'
import { ownHop } from '../../src/runtime/hop.ts'
import { Calls, Peer } from '../../src/runtime/transport.ts'
import { type Instance, Processes } from '../helpers/processes.ts'
import { count, exchanged, hopWith, LATE_MS, ROUTES, statusOf, Traffic, until } from './revoking.ts'

export const MEANWHILE_MS = 2_000
export const LATE_REQUESTS = 1_000

/** Three instances of auth, and a way to each of them. */
export async function threeAuths() {
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

export type Stand = Awaited<ReturnType<typeof threeAuths>>

export async function newKey({ calls, admin, at }: Stand, id: Instance) {
  const hop = await hopWith(calls, admin, 'auth')
  return calls.call(createKey, hop, { body: { name: `at ${id}` }, peer: at(id) })
}

/** A key under traffic through the gateway is revoked at one instance while something happens to another. */
export async function revokeWhile(
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
