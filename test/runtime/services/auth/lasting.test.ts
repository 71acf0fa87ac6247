import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createKey, createUser, feed, jwks, revokeKey, setRole } from '../../../../src/contracts/auth.ts'
import { waitFor } from '../../../../src/retry.ts'
import { ownHop } from '../../../../src/runtime/hop.ts'
import { AuthStand, person, refusal } from '../../../helpers/auth.ts'

describe('while the store is away', () => {
  test('auth does not answer before it has its sets', async () => {
    const stand = new AuthStand()
    await stand.startAuth({ until: 'listening' })
    expect(stand.running.ready()).not.toEqual([])
    for (const route of [feed, jwks])
      await expect(stand.as('gateway').call(route, ownHop())).rejects.toEqual(refusal(503, 'loading'))
    await stand.startData()
    await waitFor({ says: 'auth to be ready', deadlineMs: 10_000 }, () =>
      stand.running.ready().length === 0 ? true : undefined,
    )
  })

  test('it answers from its copy, refuses new keys, and a revocation counts, also after the next restart', async () => {
    const stand = await new AuthStand().start()
    const gateway = stand.as('gateway')
    const admin = await stand.adminKey()
    const bea = await person(stand, admin, 'bea', 'user')
    expect(statSync(join(stand.folder, 'auth', 'sets.json')).mode & 0o777).toBe(0o600)
    await stand.stopAuth()
    await stand.stopData()
    await stand.startAuth()
    expect(stand.running.notes!().join()).toContain('The store is away')

    const hop = await stand.hopOf(admin)
    await expect(gateway.call(createKey, hop, { body: { name: 'new' } })).rejects.toEqual(
      refusal(503, 'store_away'),
    )
    await expect(gateway.call(createUser, hop, { body: { name: 'x', role: 'user' } })).rejects.toEqual(
      refusal(503, 'store_away'),
    )
    const reply = await gateway.raw(revokeKey, hop, { params: { id: bea.info.id } })
    expect(reply.status).toBe(202)
    expect(JSON.parse(await reply.body.text())).toEqual({ revoked: bea.info.id, missing: ['store'] })
    await expect(stand.exchange(bea.key)).rejects.toEqual(refusal(401, 'revoked_key'))

    await stand.stopAuth()
    await stand.startAuth()
    await expect(stand.exchange(bea.key)).rejects.toEqual(refusal(401, 'revoked_key'))

    await stand.startData()
    await waitFor({ says: 'the store to hold everything', deadlineMs: 10_000 }, () =>
      stand.running.notes!().length === 0 ? true : undefined,
    )
    await stand.stopAuth()
    writeFileSync(join(stand.folder, 'auth', 'sets.json'), 'broken')
    await stand.startAuth()
    await expect(stand.exchange(bea.key)).rejects.toEqual(refusal(401, 'revoked_key'))
    await gateway.call(createKey, await stand.hopOf(admin), { body: { name: 'new' } })
  })

  test('a revocation that only the copy holds counts although the store is there first at the next start', async () => {
    const stand = await new AuthStand().start()
    const admin = await stand.adminKey()
    const bea = await person(stand, admin, 'bea', 'user')
    const hop = await stand.hopOf(admin)
    await stand.stopData()
    const reply = await stand.as('gateway').raw(revokeKey, hop, { params: { id: bea.info.id } })
    expect(reply.status).toBe(202)
    await reply.body.text()
    await stand.stopAuth()
    await stand.startData()
    await stand.startAuth()
    await expect(stand.exchange(bea.key)).rejects.toEqual(refusal(401, 'revoked_key'))
    await waitFor({ says: 'the store to hold it', deadlineMs: 10_000 }, () =>
      stand.running.notes!().length === 0 ? true : undefined,
    )
  })

  test('a broken copy is not used', async () => {
    const stand = await new AuthStand().start()
    await stand.adminKey()
    await stand.stopAuth()
    await stand.stopData()
    writeFileSync(join(stand.folder, 'auth', 'sets.json'), '{"format":1,"rec')
    await stand.startAuth({ until: 'listening' })
    await expect(stand.as('gateway').call(feed, ownHop())).rejects.toEqual(refusal(503, 'loading'))
  })

  test('a store that goes away while auth runs takes nothing from those who are known', async () => {
    const stand = await new AuthStand().start()
    const admin = await stand.adminKey()
    const bea = await person(stand, admin, 'bea', 'user')
    await stand.stopData()
    const hop = await stand.hopOf(admin)
    const reply = await stand.as('gateway').raw(revokeKey, hop, { params: { id: bea.info.id } })
    expect(reply.status).toBe(202)
    await reply.body.text()
    await expect(stand.exchange(bea.key)).rejects.toEqual(refusal(401, 'revoked_key'))
    await stand.startData()
    await waitFor({ says: 'the revocation to be stored', deadlineMs: 10_000 }, () =>
      stand.running.notes!().length === 0 ? true : undefined,
    )
  })
})

test('keys, users and revocations are there after a restart', async () => {
  const stand = await new AuthStand().start()
  const gateway = stand.as('gateway')
  const admin = await stand.adminKey()
  const bea = await person(stand, admin, 'bea', 'user')
  const carl = await person(stand, admin, 'carl', 'operator')
  const hop = await stand.hopOf(admin)
  await gateway.call(revokeKey, hop, { params: { id: bea.info.id } })
  await gateway.call(setRole, hop, { params: { name: 'carl' }, body: { role: 'viewer' } })
  const old = await stand.exchange(carl.key)
  await stand.stopAuth()
  await stand.startAuth()
  await expect(stand.exchange(bea.key)).rejects.toEqual(refusal(401, 'revoked_key'))
  expect((await stand.exchange(carl.key)).principal.role).toBe('viewer')
  // The signing keys are stored, so a token from before is still good.
  expect(await stand.verifier('llm').verify(old.tokens['llm']!)).toMatchObject({ user: 'carl' })
})
