import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  bootstrapKey,
  createKey,
  createUser,
  feed,
  jwks,
  listKeys,
  listUsers,
  removeUser,
  revokeKey,
  setRole,
} from '../../../../src/contracts/auth.ts'
import { fetchRecords, giveRecords } from '../../../../src/contracts/auth-records.ts'
import { silent } from '../../../../src/log.ts'
import { waitFor } from '../../../../src/retry.ts'
import { ownHop } from '../../../../src/runtime/hop.ts'
import { AuthStand, person, refusal } from '../../../helpers/auth.ts'

const ALL = [0, 1, 2]
const three = () => new AuthStand(silent, { instances: 3 }).start()

/** What an instance tells of all that it holds. */
async function told(stand: AuthStand, instance: number, hop: Awaited<ReturnType<AuthStand['hopOf']>>) {
  const calls = stand.as('gateway', instance)
  const [users, keys, signing, { revoked }] = await Promise.all([
    calls.call(listUsers, hop),
    calls.call(listKeys, hop),
    calls.call(jwks, ownHop()),
    calls.call(feed, ownHop()),
  ])
  const byId = keys.keys.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  return JSON.stringify({ users, byId, signing, revoked: revoked.toSorted() })
}

/** Returns once all tell the same. */
const agreed = (stand: AuthStand, admin: string) =>
  waitFor({ says: 'the instances to agree', deadlineMs: 10_000 }, async () => {
    const hop = await stand.hopOf(admin)
    const all = await Promise.all(ALL.map(i => told(stand, i, hop)))
    return new Set(all).size === 1 ? true : undefined
  })

describe('instances of auth that act at once', () => {
  test('give the operator working keys of one user admin', async () => {
    const stand = await three()
    const made = await Promise.all(
      ALL.map(i => stand.as('auth', i).call(bootstrapKey, ownHop(), { body: { name: 'test' } })),
    )
    expect(made.map(m => m.info.user)).toEqual(['admin', 'admin', 'admin'])
    await agreed(stand, made[0]!.key)
    for (const { key } of made) for (const i of ALL) await stand.exchange(key, i)
  })

  test('make one user of one name, and whoever lost knows the one who is there', async () => {
    const stand = await three()
    const hop = await stand.hopOf(await stand.adminKey())
    const ends = await Promise.allSettled(
      ALL.map(i =>
        stand.as('gateway', i).call(createUser, hop, {
          body: { name: 'bea', role: (['viewer', 'user', 'operator'] as const)[i]! },
        }),
      ),
    )
    const won = ends.findIndex(e => e.status === 'fulfilled')
    expect(ends.filter(e => e.status === 'rejected').map(e => e.reason)).toEqual([
      refusal(409, 'exists'),
      refusal(409, 'exists'),
    ])
    for (const i of ALL) {
      const { users } = await stand.as('gateway', i).call(listUsers, hop)
      expect(users.find(u => u.name === 'bea')?.role).toBe(['viewer', 'user', 'operator'][won])
    }
  })

  test('leave one admin of three who demote and remove each other', async () => {
    const stand = await three()
    const admin = await stand.adminKey()
    const ada = await person(stand, admin, 'ada', 'admin')
    const eve = await person(stand, admin, 'eve', 'admin')
    const [a, b, c] = await Promise.all([admin, ada.key, eve.key].map(key => stand.hopOf(key)))
    await agreed(stand, admin)
    await Promise.allSettled([
      stand.as('gateway', 0).call(setRole, a!, { params: { name: 'ada' }, body: { role: 'user' } }),
      stand.as('gateway', 1).call(removeUser, b!, { params: { name: 'eve' } }),
      stand.as('gateway', 2).call(setRole, c!, { params: { name: 'admin' }, body: { role: 'user' } }),
    ])
    const key = await stand.adminKey()
    await agreed(stand, key)
    const { users } = await stand.as('gateway').call(listUsers, await stand.hopOf(key))
    expect(users.filter(u => u.role === 'admin' && !u.removed).length).toBeGreaterThanOrEqual(1)
  })

  test('end every key of a user who is removed at one while another makes keys for it', async () => {
    const stand = await three()
    const admin = await stand.adminKey()
    const bea = await person(stand, admin, 'bea', 'user')
    const hop = await stand.hopOf(bea.key)
    const own = await stand.hopOf(admin)
    const making = Promise.allSettled(
      Array.from({ length: 20 }, (_, n) =>
        stand.as('gateway', 1 + (n % 2)).call(createKey, hop, { body: { name: `k${n}` } }),
      ),
    )
    await stand.as('gateway', 0).call(removeUser, own, { params: { name: 'bea' } })
    const keys = (await making).flatMap(e => (e.status === 'fulfilled' ? [e.value.key] : []))
    await agreed(stand, admin)
    for (const key of [bea.key, ...keys])
      for (const i of ALL) await expect(stand.exchange(key, i)).rejects.toMatchObject({ status: 401 })
    const { revoked } = await stand.as('gateway', 2).call(feed, ownHop())
    for (const key of keys) expect(revoked).toContain(key.split('_')[1])
  })
})

describe('an instance of auth', () => {
  test('that was away takes in everything, more than one message holds', async () => {
    const stand = await three()
    const admin = await stand.adminKey()
    await stand.stopAuth(2)
    const created = new Date().toISOString()
    const records = Array.from({ length: 1_200 }, (_, n) => {
      const id = String(n).padStart(16, '0')
      const about = { name: 'one of many', user: 'admin', digest: '', scopes: ['ask'], limits: {}, created }
      return { name: `auth/key/${id}`, record: { id, ...about } }
    })
    for (const i of [0, 1])
      for (const part of [records.slice(0, 600), records.slice(600)])
        await stand.as('auth', i).call(giveRecords, ownHop(), { body: { records: part, unstored: [] } })
    // Without the store, and without a copy, it has nobody else to ask.
    rmSync(stand.stateOf(2), { recursive: true, force: true })
    await stand.stopData()
    await stand.startAuth({ instance: 2 })
    expect(stand.runningAt(2).notes!().join()).toContain('the other instances')
    await agreed(stand, admin)
    const { keys } = await stand.as('gateway', 2).call(listKeys, await stand.hopOf(admin))
    expect(keys.length).toBe(1_201)
  }, 60_000)

  test('that lost its copy does not answer on the word of one other while the store is away', async () => {
    const stand = await three()
    await stand.adminKey()
    for (const i of [1, 2]) await stand.stopAuth(i)
    rmSync(stand.stateOf(2), { recursive: true, force: true })
    await stand.stopData()
    await stand.startAuth({ instance: 2, until: 'listening' })
    // The store was tried in vain, and the other one was heard long before.
    await waitFor({ says: 'a try to load', deadlineMs: 15_000 }, () =>
      stand.runningAt(2).ready().join().includes('has not answered yet') ? undefined : true,
    )
    await expect(stand.as('gateway', 2).call(feed, ownHop())).rejects.toEqual(refusal(503, 'loading'))
    await stand.startAuth({ instance: 1 })
    await waitFor({ says: 'an answer', deadlineMs: 10_000 }, () =>
      stand.as('gateway', 2).call(feed, ownHop()),
    )
  })

  test('that hears from no other accepts no token, and says whom it misses', async () => {
    const stand = await new AuthStand(silent, { instances: 3, maxStaleMs: 5_000 }).start()
    const admin = await stand.adminKey()
    const hop = await stand.hopOf(admin)
    const bea = await person(stand, admin, 'bea', 'user')
    await Promise.all([1, 2].map(i => stand.stopAuth(i)))
    // It heard from them lately enough, so this one is still accepted: and told where it is not held.
    const reply = await stand.as('gateway', 0).raw(revokeKey, hop, { params: { id: bea.info.id } })
    expect(reply.status).toBe(202)
    const missing = [1, 2].map(i => `auth ${join(stand.folder, `auth-${i}.sock`)}`)
    expect(JSON.parse(await reply.body.text())).toEqual({ revoked: bea.info.id, missing })
    await waitFor({ says: 'the others to be missed', deadlineMs: 15_000 }, () =>
      stand.running.notes!().length === 2 ? true : undefined,
    )
    await waitFor({ says: 'the admin to be refused', deadlineMs: 15_000 }, async () =>
      stand
        .as('gateway', 0)
        .call(listKeys, await stand.hopOf(admin))
        .then(
          () => undefined,
          thrown => thrown.status === 503 && thrown.code === 'not_fresh',
        ),
    )
    // What it does not know may just be new; what it knows needs nobody.
    const unknown = `lao_${'a'.repeat(16)}_${'A'.repeat(43)}`
    await expect(stand.exchange(unknown, 0)).rejects.toEqual(refusal(503, 'not_fresh'))
    await stand.exchange(admin, 0)
    await stand.startAuth({ instance: 2 })
    await expect(stand.exchange(bea.key, 2)).rejects.toEqual(refusal(401, 'revoked_key'))
    // Asked again, it is held by a majority.
    const again = await stand.as('gateway', 0).raw(revokeKey, await stand.hopOf(admin), {
      params: { id: bea.info.id },
    })
    expect(again.status).toBe(200)
    await again.body.text()
  }, 60_000)

  test('gives its records to nobody but another instance', async () => {
    const stand = await three()
    for (const name of ['gateway', 'llm', 'task', 'data', 'executor'] as const) {
      await expect(stand.as(name).call(fetchRecords, ownHop())).rejects.toEqual(refusal(403, 'caller'))
      const body = { records: [], unstored: [] }
      await expect(stand.as(name).call(giveRecords, ownHop(), { body })).rejects.toEqual(
        refusal(403, 'caller'),
      )
    }
  })
})
