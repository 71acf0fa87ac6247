import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { type Audience, bootstrapKey, createKey, revokeKey, whoami } from '../../src/contracts/auth.ts'
import type { ServiceName } from '../../src/contracts/identity.ts'
import { listModels } from '../../src/contracts/models.ts'
import { listObjects } from '../../src/contracts/objects.ts'
import type { Route } from '../../src/contracts/route.ts'
import { waitFor } from '../../src/retry.ts'
import { ownHop } from '../../src/runtime/hop.ts'
import { Refusal } from '../../src/runtime/refusal.ts'
import { Calls, Peer } from '../../src/runtime/transport.ts'
import { Processes } from '../helpers/processes.ts'
import { count, hopWith, LATE_MS, many, ROUTES, statusOf, Traffic, until } from './revoking.ts'

// Three times what a service may go by without news.
const FROZEN_MS = 3_000
/** What a service answers to the gateway itself, so that nobody else's check stands before its own. */
const DIRECT: Partial<Record<ServiceName, Route>> = { llm: listModels, data: listObjects }

test('a revoked key is accepted by nobody later than a second after, whichever service was frozen meanwhile', async () => {
  const processes = await new Processes().start(['data', 'auth', 'worker', 'llm', 'gateway'])
  const peer = new Peer('gateway', { url: processes.url })
  const calls = new Calls('gateway', processes.services)
  const auth = new Calls('auth', processes.services)
  onTestFinished(() => Promise.all([peer.close(), calls.close(), auth.close()]).then(() => undefined))

  const { key: admin } = await waitFor({ says: 'an admin key', deadlineMs: 20_000 }, () =>
    auth.call(bootstrapKey, ownHop(), { body: { name: 'test' } }),
  )
  for (const route of ROUTES)
    await until(`an answer of ${route.to}`, async () => (await statusOf(peer, admin, route)) === 200)

  const victims: (ServiceName | undefined)[] = [undefined, 'gateway', 'llm', 'data', 'auth']
  let late = 0
  for (const victim of victims)
    late += await revokeUnder(victim, { processes, peer, calls, admin }).catch(thrown => {
      throw new Error(`With ${victim} frozen; auth logged:\n${processes.log('auth').slice(-5_000)}`, {
        cause: thrown,
      })
    })
  expect(late).toBeGreaterThanOrEqual(1_000)
}, 300_000)

interface Stand {
  processes: Processes
  peer: Peer
  calls: Calls
  admin: string
}

/** One key made, used, revoked and tried on, with `victim` frozen around it; answers how many requests came later than the promise. */
async function revokeUnder(victim: ServiceName | undefined, stand: Stand): Promise<number> {
  const { processes, peer, calls, admin } = stand
  const { key, info } = await calls.call(createKey, await hopWith(calls, admin, 'auth'), {
    body: { name: `for ${victim}` },
  })
  const traffic = new Traffic(peer, key, { lanes: 24 })
  await until('traffic that is accepted', () => traffic.answers.filter(a => a.status === 200).length > 50)
  expect(traffic.answers.filter(a => a.status !== 200)).toEqual([])

  const route = victim && DIRECT[victim]
  const own = route && (await hopWith(calls, key, victim as Audience))
  const ask = async () => {
    if (!route || !own) return 0
    try {
      const reply = await calls.raw(route, { ...ownHop(), token: own.token })
      await reply.body.text()
      return reply.status
    } catch (thrown) {
      // No answer in time: nobody accepted anything.
      if (thrown instanceof Refusal) return thrown.status
      throw thrown
    }
  }
  // Connections that are open already are read first after a thaw, before anything is heard from auth.
  if (route) expect(new Set(await many(ask))).toEqual(new Set([200]))

  // A hop of its own: on a busy machine its deadline would be used up by what went before.
  const mine = await hopWith(calls, admin, 'auth')
  const revoke = async () => {
    await calls.call(revokeKey, { ...ownHop(), token: mine.token }, { params: { id: info.id } })
    return performance.now()
  }
  // Auth itself is frozen right after it answered, before it could tell anybody.
  let revoked = victim === 'auth' ? await revoke() : 0
  if (victim) processes.signal(victim, 'SIGSTOP')
  const stopped = performance.now()
  const direct = many(ask)
  if (victim !== 'auth') revoked = await revoke()
  if (victim) {
    await sleep(FROZEN_MS)
    processes.signal(victim, 'SIGCONT')
    await until('the others to be served again', async () => (await statusOf(peer, admin, whoami)) === 200)
  }
  await until('enough late requests', () => traffic.since(revoked + LATE_MS).length >= 300)
  await traffic.stop()

  const late = traffic.since(revoked + LATE_MS)
  expect(count(late, 200), `accepted late, ${victim} frozen`).toBe(0)
  // Sent into the freeze and answered after the thaw: accepted seconds after the revocation, whenever it was sent.
  const thawed = traffic.since(stopped).filter(a => victim === 'gateway' || a.to === victim)
  if (victim !== 'auth') expect(count(thawed, 200), `accepted by ${victim} after the thaw`).toBe(0)
  expect((await direct).filter(status => status === 200)).toEqual([])
  expect(late.filter(a => ![401, 503].includes(a.status))).toEqual([])
  expect(count(late, 401)).toBeGreaterThan(0)
  return late.length
}
