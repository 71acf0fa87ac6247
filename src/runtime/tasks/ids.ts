import { randomBytes } from 'node:crypto'

/** Crockford's base 32: byte order is the order of values. */
const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const TIME_DIGITS = 10
const RANDOM_BYTES = 10

/** Makes ULIDs that grow, also within one millisecond and when the clock goes back. */
export function ulids(now: () => number = Date.now): () => string {
  let time = 0
  let random = 0n
  return () => {
    const at = now()
    if (at > time) {
      time = at
      // The top bit stays 0, so that counting up within a millisecond cannot overflow.
      random = BigInt(`0x${randomBytes(RANDOM_BYTES).toString('hex')}`) >> 1n
    } else random++
    return digits(BigInt(time), TIME_DIGITS) + digits(random, 16)
  }
}

export const newId = ulids()

/** Unix milliseconds at which an id was made. */
export function timeOf(id: string): number {
  let value = 0
  for (const digit of id.slice(0, TIME_DIGITS)) value = value * 32 + DIGITS.indexOf(digit)
  return value
}

/** The UTC day of an id, `YYYYMMDD`: what retention deletes by. */
export const dayOf = (id: string): string =>
  new Date(timeOf(id)).toISOString().slice(0, 10).replaceAll('-', '')

/** Turns the order around, so that a list from the front finds the newest; its own inverse. */
export function inverted(id: string): string {
  const [ulid, rest] = [id.slice(0, 26), id.slice(26)]
  return ulid.replace(/./g, d => DIGITS[31 - DIGITS.indexOf(d)]!) + rest
}

function digits(value: bigint, count: number): string {
  let text = ''
  for (let i = 0; i < count; i++) {
    text = DIGITS[Number(value & 31n)] + text
    value >>= 5n
  }
  return text
}
