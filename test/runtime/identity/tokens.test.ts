import { createHmac } from 'node:crypto'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { signToken } from '../../../src/runtime/identity/tokens.ts'
import { PRINCIPAL, standIn } from './stand-in.ts'

describe('tokens that are refused', () => {
  const b64 = (o: object) => Buffer.from(JSON.stringify(o)).toString('base64url')
  const claims = () => ({
    iss: 'llmagentos',
    sub: 'admin',
    aud: ['llm'],
    key: PRINCIPAL.key,
    role: 'admin',
    scopes: ['users'],
    iat: Math.floor(Date.now() / 1000),
    exp: Math.floor(Date.now() / 1000) + 60,
  })

  test('expired, and meant for another service', async () => {
    const { verifier, token } = await standIn()
    await expect(verifier.verify(await token({ expiresAt: Date.now() - 10_000 }))).rejects.toMatchObject({
      status: 401,
      code: 'token_expired',
    })
    await expect(verifier.verify(await token({ audience: ['data'] }))).rejects.toMatchObject({
      status: 401,
      code: 'token_audience',
    })
  })

  test('without signature, signed with the public key as a shared secret, and cut or changed', async () => {
    const { verifier, token, pair } = await standIn()
    const none = `${b64({ alg: 'none', kid: pair.kid })}.${b64(claims())}.`
    const start = `${b64({ alg: 'HS256', kid: pair.kid })}.${b64(claims())}`
    const shared = [Buffer.from(pair.publicJwk.x!, 'base64url'), JSON.stringify(pair.publicJwk)].map(
      secret => `${start}.${createHmac('sha256', secret).update(start).digest('base64url')}`,
    )
    const [header, , signature] = (await token()).split('.')
    const changed = `${header}.${b64(claims())}.${signature}`
    const texts = [
      none,
      ...shared,
      changed,
      (await token()).slice(0, -8),
      '',
      '..',
      'a.b.c',
      'x'.repeat(20_000),
    ]
    for (const text of texts) {
      const refused = await verifier.verify(text).catch(e => e)
      expect(refused).toMatchObject({ status: 401, code: 'bad_token' })
      if (text.length > 8) expect(JSON.stringify(refused.body())).not.toContain(text.slice(0, 30))
    }
  })

  test('signed with a key of its own, brought along or pointed to in its header', async () => {
    const { verifier, pair } = await standIn()
    const foreign = await generateKeyPair('EdDSA', { extractable: true })
    const jwk = await exportJWK(foreign.publicKey)
    const headers = [
      { alg: 'EdDSA', kid: pair.kid },
      { alg: 'EdDSA', kid: pair.kid, jwk },
      { alg: 'EdDSA', kid: 'other', jku: 'http://127.0.0.1:1/jwks' },
      { alg: 'EdDSA', x5u: 'http://127.0.0.1:1/cert' },
      { alg: 'EdDSA', kid: '../../../etc/passwd' },
      { alg: 'EdDSA', kid: '__proto__' },
    ]
    for (const header of headers) {
      const token = await new SignJWT(claims()).setProtectedHeader(header).sign(foreign.privateKey)
      await expect(verifier.verify(token)).rejects.toMatchObject({ status: 401, code: 'bad_token' })
    }
  })

  test('with claims missing or of another shape', async () => {
    const { verifier, pair, key } = await standIn()
    const wrong: Record<string, unknown>[] = [
      { exp: undefined },
      { iss: 'someone' },
      { iss: undefined },
      { aud: undefined },
      { role: 'root' },
      { scopes: 'users' },
      { scopes: ['everything'] },
      { key: 7 },
    ]
    for (const change of wrong) {
      const token = await new SignJWT({ ...claims(), ...change })
        .setProtectedHeader({ alg: 'EdDSA', kid: pair.kid })
        .sign(key)
      await expect(verifier.verify(token)).rejects.toMatchObject({ status: 401 })
    }
  })

  test('unknown key ids do not become a flood of questions', async () => {
    const { verifier, script, key } = await standIn()
    await verifier.fresh()
    for (let i = 0; i < 50; i++) {
      const token = await signToken({
        key,
        kid: `no-${i}`,
        principal: PRINCIPAL,
        audience: ['llm'],
        expiresAt: Date.now() + 9_000,
      })
      await expect(verifier.verify(token)).rejects.toMatchObject({ status: 401 })
    }
    expect(script.jwksAsked).toBeLessThanOrEqual(2)
  })
})
