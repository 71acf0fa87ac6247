import { randomInt } from 'node:crypto'

/** Without what is easily taken for something else: 0 and o, 1 and l. */
const LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789'

/** A name for a conversation that a person can read out: `2026-01-31-k7fm2x`, with the date where the person is. */
export function newSessionId(now = new Date()): string {
  const two = (n: number) => String(n).padStart(2, '0')
  const random = Array.from({ length: 6 }, () => LETTERS[randomInt(LETTERS.length)]).join('')
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}-${random}`
}
