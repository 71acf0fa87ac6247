import { randomBytes } from 'node:crypto'
import {
  type CryptoKey,
  errors,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
  jwtVerify,
  SignJWT,
} from 'jose'
import { Check } from 'typebox/value'
import { Principal, type ServiceName } from '../../contracts/identity.ts'
import { Refusal } from '../refusal.ts'

export type { CryptoKey, JWK }

const ISSUER = 'llmagentos'
const SKEW_SECONDS = 5
/** Headers end at 16 KiB; a token of ours has under 1 KiB. */
const MAX_TOKEN_CHARS = 8192

/** A fresh Ed25519 pair as JWKs; the private half is a secret. */
export async function newSigningPair(): Promise<{ kid: string; privateJwk: JWK; publicJwk: JWK }> {
  const kid = randomBytes(8).toString('hex')
  const pair = await generateKeyPair('EdDSA', { extractable: true })
  const about = { kid, alg: 'EdDSA', use: 'sig' }
  return {
    kid,
    privateJwk: { ...(await exportJWK(pair.privateKey)), ...about },
    publicJwk: { ...(await exportJWK(pair.publicKey)), ...about },
  }
}

/** Either half of a pair, ready for use. Throws on a JWK that is no Ed25519 key. */
export async function importKey(jwk: JWK): Promise<CryptoKey> {
  if (jwk.kty !== 'OKP' || jwk.crv !== 'Ed25519') throw new Error('the key is not an Ed25519 key')
  return (await importJWK(jwk, 'EdDSA')) as CryptoKey
}

/** An identity token. `expiresAt` is in Unix milliseconds, cut to whole seconds. */
export function signToken(o: {
  key: CryptoKey
  kid: string
  principal: Principal
  audience: readonly ServiceName[]
  expiresAt: number
}): Promise<string> {
  const { user, ...rest } = o.principal
  return new SignJWT(rest)
    .setProtectedHeader({ alg: 'EdDSA', kid: o.kid })
    .setIssuer(ISSUER)
    .setSubject(user)
    .setAudience([...o.audience])
    .setIssuedAt()
    .setExpirationTime(Math.floor(o.expiresAt / 1000))
    .sign(o.key)
}

/**
 * Checks signature, issuer, audience and times; answers who it is for and until when (Unix milliseconds). Only `keyOf` says which keys
 * count: a key or address inside the token's header is never looked at. Throws a Refusal (401) that never repeats the token.
 */
export async function readToken(
  token: string,
  o: { audience: ServiceName; keyOf(kid: string): Promise<CryptoKey | undefined> },
): Promise<{ principal: Principal; expiresAt: number }> {
  if (token.length > MAX_TOKEN_CHARS) throw badToken()
  try {
    const { payload } = await jwtVerify(
      token,
      async header => {
        const key = header.kid === undefined ? undefined : await o.keyOf(header.kid)
        if (!key) throw badToken('It was signed with a key that is not ours.')
        return key
      },
      {
        algorithms: ['EdDSA'],
        issuer: ISSUER,
        audience: o.audience,
        clockTolerance: SKEW_SECONDS,
        requiredClaims: ['exp', 'iat', 'sub'],
      },
    )
    const { sub, key, role, scopes, models } = payload
    const principal = { user: sub, key, role, scopes, ...(models !== undefined && { models }) }
    if (!Check(Principal, principal)) throw badToken()
    return { principal, expiresAt: payload.exp! * 1000 }
  } catch (thrown) {
    throw refusalOf(thrown)
  }
}

function refusalOf(thrown: unknown): unknown {
  if (thrown instanceof errors.JWTExpired)
    return new Refusal(401, 'token_expired', 'The identity token has expired.')
  if (thrown instanceof errors.JWTClaimValidationFailed && thrown.claim === 'aud')
    return new Refusal(401, 'token_audience', 'The identity token is meant for another service.')
  if (thrown instanceof errors.JOSEError) return badToken()
  return thrown instanceof TypeError ? badToken() : thrown
}

const badToken = (why = '') =>
  new Refusal(401, 'bad_token', `The identity token is not valid.${why && ` ${why}`}`)
