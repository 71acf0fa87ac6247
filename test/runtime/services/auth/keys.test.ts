import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  bootstrapKey,
  createKey,
  exchangeTask,
  feed,
  KEY_PATTERN,
  listKeys,
  revokeKey,
  whoami,
} from '../../../../src/contracts/auth.ts'
import { ROLE_SCOPES } from '../../../../src/contracts/identity.ts'
import { waitFor } from '../../../../src/retry.ts'
import { ownHop } from '../../../../src/runtime/hop.ts'
import { AuthStand, person, refusal } from '../../../helpers/auth.ts'

describe('keys', () => {
  test('the first key of a fresh cluster belongs to admin and may do everything', async () => {
    const stand = await new AuthStand().start()
    const key = await stand.adminKey()
    expect(key).toMatch(KEY_PATTERN)
    const who = await stand.as('gateway').call(whoami, await stand.hopOf(key))
    expect(who).toMatchObject({ user: 'admin', role: 'admin', scopes: ROLE_SCOPES.admin })
  })

  test('an operator who lost the key gets another, the first keeps working', async () => {
    const stand = await new AuthStand().start()
    const [first, second] = [await stand.adminKey(), await stand.adminKey()]
    expect(first).not.toBe(second)
    await stand.exchange(first)
    await stand.exchange(second)
  })

  test.for(['gateway', 'llm'] as const)('%s cannot ask for an admin key', async caller => {
    const stand = await new AuthStand().start()
    await expect(stand.as(caller).call(bootstrapKey, ownHop(), { body: { name: 'x' } })).rejects.toEqual(
      refusal(403, 'caller'),
    )
  })

  test('neither the text nor the secret of a key is stored anywhere', async () => {
    const stand = await new AuthStand().start()
    const key = await stand.adminKey()
    const secret = KEY_PATTERN.exec(key)![2]!
    const copy = readFileSync(join(stand.folder, 'auth', 'sets.json'), 'utf8')
    expect(copy).toContain(KEY_PATTERN.exec(key)![1])
    expect(copy).not.toContain(secret)
    await stand.stopData()
    const store = readFileSync(findFile(join(stand.folder, 'store')))
    expect(store.includes(secret)).toBe(false)
  })

  test('a wrong secret and an unknown id are refused with the same words', async () => {
    const stand = await new AuthStand().start()
    const key = await stand.adminKey()
    const wrong = `${key.slice(0, -43)}${'A'.repeat(43)}`
    const unknown = `lao_${'a'.repeat(16)}_${'A'.repeat(43)}`
    const said = await Promise.all([wrong, unknown].map(k => stand.exchange(k).catch(e => e.body())))
    expect(said[0]).toEqual(said[1])
    expect(said[0].error.code).toBe('unknown_key')
    expect(JSON.stringify(said)).not.toContain('AAAA')
  })

  test('a revoked key is refused at once and the feed names it', async () => {
    const stand = await new AuthStand().start()
    const gateway = stand.as('gateway')
    const admin = await stand.adminKey()
    const { key, info } = await person(stand, admin, 'bea', 'user')
    const before = await gateway.call(feed, ownHop())
    expect(await gateway.call(revokeKey, await stand.hopOf(key), { params: { id: info.id } })).toEqual({
      revoked: info.id,
    })
    await expect(stand.exchange(key)).rejects.toEqual(refusal(401, 'revoked_key'))
    const after = await gateway.call(feed, ownHop(), { query: { boot: before.boot, after: before.version } })
    expect(after.revoked).toEqual([info.id])
  })

  test('an expired key is refused and its tokens end with it', async () => {
    const stand = await new AuthStand().start()
    const gateway = stand.as('gateway')
    const hop = await stand.hopOf(await stand.adminKey())
    const { key, info } = await gateway.call(createKey, hop, { body: { name: 'short', expiresInSeconds: 1 } })
    const end = Date.parse(info.expires!)
    expect((await stand.exchange(key)).expiresAt).toBe(end)
    await waitFor({ says: 'the key to expire', deadlineMs: 5_000 }, () =>
      Date.now() > end ? true : undefined,
    )
    await expect(stand.exchange(key)).rejects.toEqual(refusal(401, 'expired_key'))
  })

  test('a key of another user is as unknown as one that does not exist', async () => {
    const stand = await new AuthStand().start()
    const gateway = stand.as('gateway')
    const admin = await stand.adminKey()
    const bea = await person(stand, admin, 'bea', 'user')
    const carl = await person(stand, admin, 'carl', 'user')
    const hop = await stand.hopOf(carl.key)
    for (const id of [bea.info.id, 'a'.repeat(16)])
      await expect(gateway.call(revokeKey, hop, { params: { id } })).rejects.toEqual(
        refusal(404, 'not_found'),
      )
    await stand.exchange(bea.key)
    expect((await gateway.call(listKeys, hop)).keys.map(k => k.user)).toEqual(['carl'])
    const all = await gateway.call(listKeys, await stand.hopOf(admin))
    expect(all.keys.map(k => k.user).sort()).toEqual(['admin', 'bea', 'carl'])
    expect(JSON.stringify(all)).not.toContain('digest')
  })

  test('a key never exceeds the key that creates it', async () => {
    const stand = await new AuthStand().start()
    const gateway = stand.as('gateway')
    const admin = await stand.adminKey()
    const { key: narrow } = await gateway.call(createKey, await stand.hopOf(admin), {
      body: {
        name: 'narrow',
        scopes: ['keys', 'ask'],
        models: ['small'],
        limits: { requestsPerMinute: 5 },
        expiresInSeconds: 600,
      },
    })
    const hop = await stand.hopOf(narrow)
    const attempts = [
      { scopes: ['tasks:write' as const] },
      { models: ['small', 'large'] },
      { limits: { requestsPerMinute: 6 } },
      { expiresInSeconds: 601 },
    ]
    for (const more of attempts)
      await expect(gateway.call(createKey, hop, { body: { name: 'more', ...more } })).rejects.toEqual(
        refusal(403, 'exceeds'),
      )
    const { info } = await gateway.call(createKey, hop, { body: { name: 'same' } })
    expect(info).toMatchObject({
      scopes: ['keys', 'ask'],
      models: ['small'],
      limits: { requestsPerMinute: 5 },
    })
    expect(info.expires).toBeDefined()
    await expect(gateway.call(createKey, hop, { body: { name: 'other', user: 'bea' } })).rejects.toEqual(
      refusal(403, 'scope'),
    )
  })

  test('a key for another user never exceeds that user’s role', async () => {
    const stand = await new AuthStand().start()
    const gateway = stand.as('gateway')
    const admin = await stand.adminKey()
    const { info } = await person(stand, admin, 'vera', 'viewer')
    expect(info.scopes).toEqual(ROLE_SCOPES.viewer)
    await expect(
      gateway.call(createKey, await stand.hopOf(admin), {
        body: { name: 'big', user: 'vera', scopes: ['users'] },
      }),
    ).rejects.toEqual(refusal(403, 'exceeds'))
  })
})

describe('tokens for tasks', () => {
  test('rights are those stored with the task, cut by what the key may today', async () => {
    const stand = await new AuthStand().start()
    const admin = await stand.adminKey()
    const { key, info } = await person(stand, admin, 'bea', 'user')
    const executor = stand.as('executor')
    const body = {
      task: 't',
      attempt: 1,
      user: 'bea',
      key: info.id,
      scopes: ['ask' as const, 'users' as const],
    }
    const { token } = await executor.call(exchangeTask, ownHop(), { body })
    const verifier = stand.verifier('llm')
    expect(await verifier.verify(token)).toMatchObject({ user: 'bea', scopes: ['ask'] })

    await expect(
      executor.call(exchangeTask, ownHop(), { body: { ...body, scopes: ['users'] } }),
    ).rejects.toEqual(refusal(403, 'no_rights'))
    await expect(executor.call(exchangeTask, ownHop(), { body: { ...body, user: 'admin' } })).rejects.toEqual(
      refusal(401, 'unknown_key'),
    )
    await stand.as('gateway').call(revokeKey, await stand.hopOf(key), { params: { id: info.id } })
    await expect(executor.call(exchangeTask, ownHop(), { body })).rejects.toEqual(refusal(401, 'revoked_key'))
  })
})

function findFile(folder: string): string {
  const entry = readdirSync(folder, { recursive: true, withFileTypes: true }).find(e =>
    e.name.endsWith('.mdb'),
  )!
  return join(entry.parentPath, entry.name)
}
