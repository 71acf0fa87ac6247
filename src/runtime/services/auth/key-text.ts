import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

const ID_LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789'
const NOBODYS = createHash('sha256').update(randomBytes(32)).digest()

/** A new key: the text to hand out once, and what is kept of it. */
export function newKeyText(): { id: string; text: string; digest: string } {
  const id = Array.from(randomBytes(16), byte => ID_LETTERS[byte % ID_LETTERS.length]).join('')
  const secret = randomBytes(32).toString('base64url')
  return { id, text: `lao_${id}_${secret}`, digest: createHash('sha256').update(secret).digest('hex') }
}

/** Compares two hex SHA-256 in constant time; with no stored one it takes the same time and is false. */
export function sameDigest(stored: string | undefined, given: string): boolean {
  const givenBytes = Buffer.from(given, 'hex')
  const storedBytes = stored === undefined ? NOBODYS : Buffer.from(stored, 'hex')
  if (givenBytes.length !== storedBytes.length) return false
  return timingSafeEqual(storedBytes, givenBytes) && stored !== undefined
}
