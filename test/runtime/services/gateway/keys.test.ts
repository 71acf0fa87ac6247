import { describe, expect, test } from 'vitest'
import {
  createKey,
  createUser,
  KEY_PATTERN,
  removeUser,
  revokeKey,
  setRole,
} from '../../../../src/contracts/auth.ts'
import { waitFor } from '../../../../src/retry.ts'
import { ownHop } from '../../../../src/runtime/hop.ts'
import { Keys } from '../../../../src/runtime/services/gateway/keys.ts'
import { AuthStand } from '../../../helpers/auth.ts'

const url = '/api/v1/whoami'
const bearer = (key: string) => ({ url, headers: { authorization: `Bearer ${key}` } })

async function gate() {
  const stand = await new AuthStand().start()
  const calls = stand.as('gateway')
  let exchanges = 0
  const counted = {
    call: (...args: Parameters<typeof calls.call>) => {
      exchanges += 1
      return calls.call(...args)
    },
  } as unknown as typeof calls
  const verifier = stand.verifier('gateway')
  const keys = new Keys({ calls: counted, verifier })
  return { stand, keys, verifier, key: await stand.adminKey(), exchanges: () => exchanges }
}

describe('a key', () => {
  test('is admitted from Authorization and from x-api-key, and traded once for many requests', async () => {
    const { keys, key, exchanges, stand } = await gate()
    const carriers = [
      bearer(key),
      { url, headers: { authorization: `bearer ${key}` } },
      { url, headers: { 'x-api-key': key } },
      { url, headers: { authorization: `Bearer ${key}`, 'x-api-key': key } },
    ]
    const admitted = await Promise.all(
      Array.from({ length: 100 }, (_, i) => keys.admit(carriers[i % carriers.length]!, ownHop())),
    )
    expect(exchanges()).toBe(1)
    expect(admitted[0]).toMatchObject({ principal: { user: 'admin' }, limits: {} })
    expect(await stand.verifier('llm').verify(admitted[0]!.tokenFor('llm'))).toMatchObject({ user: 'admin' })
    await expect(stand.verifier('task').verify(admitted[0]!.tokenFor('llm'))).rejects.toMatchObject({
      code: 'token_audience',
    })
  })

  test('that is warm costs microseconds', async () => {
    const { keys, key } = await gate()
    const request = bearer(key)
    const hop = ownHop()
    await keys.admit(request, hop)
    const cost = async (n: number) => {
      const start = performance.now()
      for (let i = 0; i < n; i++) await keys.admit(request, hop)
      return ((performance.now() - start) / n) * 1000
    }
    await cost(2_000)
    expect(await cost(5_000)).toBeLessThan(1_000)
  })

  test('twice and different is 400, in the address is 400', async () => {
    const { keys, key } = await gate()
    const other = `lao_${'a'.repeat(16)}_${'A'.repeat(43)}`
    await expect(
      keys.admit({ url, headers: { authorization: `Bearer ${key}`, 'x-api-key': other } }, ownHop()),
    ).rejects.toMatchObject({ status: 400 })
    for (const address of [`${url}?key=${key}`, `${url}?api_key=${key}&a=b`, `/api/v1/kb/${key}`])
      await expect(keys.admit({ ...bearer(key), url: address }, ownHop())).rejects.toMatchObject({
        status: 400,
      })
  })

  test.each([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'Basic YWRtaW46YWRtaW4=',
    'Bearer lao_short_secret',
    `Bearer lao_${'A'.repeat(16)}_${'A'.repeat(43)}`,
    `Bearer lao_${'a'.repeat(16)}_${'A'.repeat(44)}`,
    `Bearer lao_${'a'.repeat(16)}_${'A'.repeat(42)}\n`,
    "Bearer ' OR '1'='1",
    'Bearer {"$gt":""}',
    'Bearer ../../../../etc/passwd',
    'Bearer %24%7Bjndi:ldap://127.0.0.1/a%7D',
    'Bearer lao_\u0000\u0000',
    'Bearer __proto__',
    `Bearer ${'A'.repeat(15_000)}`,
    'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.',
  ])('of the form %j is 401 without being asked about or repeated', async authorization => {
    const { keys, exchanges } = await gate()
    const refused = await keys.admit({ url, headers: { authorization } }, ownHop()).catch(e => e)
    expect(refused).toMatchObject({ status: 401 })
    expect(exchanges()).toBe(0)
    if (authorization && authorization.length > 8)
      expect(JSON.stringify(refused.body())).not.toContain(authorization.slice(7))
  })

  test('that is unknown or has a wrong secret is 401, asked about once a second at most', async () => {
    const { keys, key, exchanges } = await gate()
    const wrong = `${key.slice(0, -43)}${'A'.repeat(43)}`
    for (let i = 0; i < 20; i++)
      await expect(keys.admit(bearer(wrong), ownHop())).rejects.toMatchObject({
        status: 401,
        code: 'unknown_key',
      })
    expect(exchanges()).toBeLessThanOrEqual(3)
    await keys.admit(bearer(key), ownHop())
  })
})

describe('what changes at auth', () => {
  const soon = (says: string, attempt: () => Promise<true | undefined>) =>
    waitFor({ says, deadlineMs: 5_000, everyMs: 20 }, attempt)

  test('a revoked key is refused as soon as the feed says so, and its user’s role counts', async () => {
    const { keys, key, stand, verifier } = await gate()
    const calls = stand.as('gateway')
    const hop = await stand.hopOf(key)
    await calls.call(createUser, hop, { body: { name: 'bea', role: 'operator' } })
    const bea = await calls.call(createKey, hop, { body: { name: 'b', user: 'bea' } })
    expect((await keys.admit(bearer(bea.key), ownHop())).principal.scopes).toContain('models:write')

    await calls.call(setRole, hop, { params: { name: 'bea' }, body: { role: 'viewer' } })
    await soon('the role to count', async () =>
      (await keys.admit(bearer(bea.key), ownHop())).principal.role === 'viewer' ? true : undefined,
    )
    const { key: id } = (await keys.admit(bearer(bea.key), ownHop())).principal
    await calls.call(revokeKey, hop, { params: { id } })
    await soon('the revocation', async () => (verifier.isRevoked(id) ? true : undefined))
    await expect(keys.admit(bearer(bea.key), ownHop())).rejects.toMatchObject({
      status: 401,
      code: 'revoked_key',
    })
  })

  test('a removed user’s keys are refused', async () => {
    const { keys, key, stand } = await gate()
    const calls = stand.as('gateway')
    const hop = await stand.hopOf(key)
    await calls.call(createUser, hop, { body: { name: 'bea', role: 'user' } })
    const bea = await calls.call(createKey, hop, { body: { name: 'b', user: 'bea' } })
    await keys.admit(bearer(bea.key), ownHop())
    await calls.call(removeUser, hop, { params: { name: 'bea' } })
    await soon('the removal to count', () =>
      keys.admit(bearer(bea.key), ownHop()).then(
        () => undefined,
        e => (e.status === 401 ? true : undefined),
      ),
    )
  })

  test('an answer that was under way when the key changed is not kept', async () => {
    const { stand, verifier, key } = await gate()
    const calls = stand.as('gateway')
    const hop = await stand.hopOf(key)
    await calls.call(createUser, hop, { body: { name: 'bea', role: 'operator' } })
    const bea = await calls.call(createKey, hop, { body: { name: 'b', user: 'bea' } })
    let first = true
    const delayed = {
      async call(...args: Parameters<typeof calls.call>) {
        const answer = await calls.call(...args)
        if (first) {
          first = false
          const told = new Promise<void>(resolve => verifier.onChange(() => resolve()))
          await calls.call(setRole, hop, { params: { name: 'bea' }, body: { role: 'viewer' } })
          await told
        }
        return answer
      },
    } as unknown as typeof calls
    const keys = new Keys({ calls: delayed, verifier })
    expect((await keys.admit(bearer(bea.key), ownHop())).principal.role).toBe('viewer')
  })

  test('while auth is away a known key is refused with 503, and admitted again when it is back', async () => {
    const { keys, key, stand } = await gate()
    await keys.admit(bearer(key), ownHop())
    await stand.stopAuth()
    await expect(keys.admit(bearer(key), ownHop())).resolves.toBeDefined()
    await soon('the key to be refused', () =>
      keys.admit(bearer(key), ownHop()).then(
        () => undefined,
        e => (e.status === 503 && e.retryAfterSeconds >= 1 ? true : undefined),
      ),
    )
    await stand.startAuth()
    expect((await keys.admit(bearer(key), ownHop())).principal.key).toBe(KEY_PATTERN.exec(key)![1])
  })
})
