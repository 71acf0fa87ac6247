import { describe, expect, test } from 'vitest'
import { createUser, feed, listKeys, listUsers, removeUser, setRole } from '../../../../src/contracts/auth.ts'
import { ROLE_SCOPES, type Role } from '../../../../src/contracts/identity.ts'
import { ownHop } from '../../../../src/runtime/hop.ts'
import { AuthStand, person, refusal } from '../../../helpers/auth.ts'

describe('users', () => {
  test.each(
    Object.keys(ROLE_SCOPES) as Role[],
  )('a new key of a %s has exactly the scopes of the role', async role => {
    const stand = await new AuthStand().start()
    const { key } = await person(stand, await stand.adminKey(), 'someone', role)
    const { principal } = await stand.exchange(key)
    expect(principal.role).toBe(role)
    expect([...principal.scopes].sort()).toEqual([...ROLE_SCOPES[role]].sort())
  })

  test('routes are open to exactly the roles that hold their scope', async () => {
    const stand = await new AuthStand().start()
    const gateway = stand.as('gateway')
    const admin = await stand.adminKey()
    for (const role of Object.keys(ROLE_SCOPES) as Role[]) {
      const { key } = await person(stand, admin, `the-${role}`, role)
      const hop = await stand.hopOf(key)
      for (const route of [listKeys, listUsers] as const) {
        const answer = gateway.call(route, hop)
        if ((ROLE_SCOPES[role] as readonly string[]).includes(route.scope)) await answer
        else await expect(answer).rejects.toEqual(refusal(403, 'scope'))
      }
    }
  })

  test('demoting a user cuts existing keys, and the feed says which to exchange again', async () => {
    const stand = await new AuthStand().start()
    const gateway = stand.as('gateway')
    const admin = await stand.adminKey()
    const { key, info } = await person(stand, admin, 'olga', 'operator')
    const before = await gateway.call(feed, ownHop())
    await gateway.call(setRole, await stand.hopOf(admin), {
      params: { name: 'olga' },
      body: { role: 'viewer' },
    })
    expect((await stand.exchange(key)).principal.scopes).toEqual(
      info.scopes.filter(s => (ROLE_SCOPES.viewer as readonly string[]).includes(s)),
    )
    const after = await gateway.call(feed, ownHop(), { query: { boot: before.boot, after: before.version } })
    expect(after).toMatchObject({ changed: [info.id], revoked: [] })
  })

  test('the last admin can be neither removed nor demoted', async () => {
    const stand = await new AuthStand().start()
    const gateway = stand.as('gateway')
    const hop = await stand.hopOf(await stand.adminKey())
    const params = { name: 'admin' }
    await expect(gateway.call(removeUser, hop, { params })).rejects.toEqual(refusal(409, 'last_admin'))
    await expect(gateway.call(setRole, hop, { params, body: { role: 'user' } })).rejects.toEqual(
      refusal(409, 'last_admin'),
    )
  })

  test('two admins that demote each other at once leave one of them', async () => {
    const stand = await new AuthStand().start()
    const gateway = stand.as('gateway')
    const admin = await stand.adminKey()
    const ada = await person(stand, admin, 'ada', 'admin')
    const [a, b] = [await stand.hopOf(admin), await stand.hopOf(ada.key)]
    const ends = await Promise.allSettled([
      gateway.call(setRole, a, { params: { name: 'ada' }, body: { role: 'user' } }),
      gateway.call(setRole, b, { params: { name: 'admin' }, body: { role: 'user' } }),
    ])
    expect(ends.map(e => e.status).sort()).toEqual(['fulfilled', 'rejected'])
  })

  test('a removed user’s keys end, its name stays taken, and the operator still gets a key', async () => {
    const stand = await new AuthStand().start()
    const gateway = stand.as('gateway')
    const admin = await stand.adminKey()
    const ada = await person(stand, admin, 'ada', 'admin')
    const hop = await stand.hopOf(ada.key)
    expect(await gateway.call(removeUser, hop, { params: { name: 'admin' } })).toEqual({
      removed: 'admin',
      keys: 1,
    })
    await expect(stand.exchange(admin)).rejects.toMatchObject({ status: 401 })
    await expect(gateway.call(createUser, hop, { body: { name: 'admin', role: 'user' } })).rejects.toEqual(
      refusal(409, 'exists'),
    )
    const { principal } = await stand.exchange(await stand.adminKey())
    expect(principal.user).toBe('ada')
  })

  test.each([
    '../etc',
    'A',
    'a/b',
    '',
    'a'.repeat(64),
    'ä',
    'a\u0000b',
    '-a',
  ])('the name %j is refused', async name => {
    const stand = await new AuthStand().start()
    const hop = await stand.hopOf(await stand.adminKey())
    await expect(
      stand.as('gateway').call(createUser, hop, { body: { name, role: 'user' } }),
    ).rejects.toMatchObject({ status: 400 })
  })
})
