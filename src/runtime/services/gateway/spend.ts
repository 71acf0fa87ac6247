import { Refusal } from '../../refusal.ts'
import type { Admitted } from './keys.ts'
import type { Limits } from './limits.ts'

/** Takes a request and its expected tokens out of what is left to the key this minute; returns how to settle with the real tokens. */
export function spend(limits: Limits, admitted: Admitted, tokens: number): (realTokens: number) => void {
  const got = limits.reserve({ keyId: admitted.principal.key, limits: admitted.limits, tokens })
  if (got.ok) return got.settle
  throw new Refusal(429, 'rate_limited', 'The key has used up its requests or tokens of this minute.', {
    next: `Try again in ${got.retryAfterSeconds} s, or ask for a key with higher limits.`,
    retryAfterSeconds: got.retryAfterSeconds,
  })
}
