import { EXIT, Failure } from '../../errors.ts'

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400, w: 7 * 86_400 }
const LONGEST = 10 * 365 * SECONDS.d

/** `45s`, `90m`, `12h`, `30d`, `4w` as seconds, at most ten years. */
export function seconds(text: string): number {
  const parts = /^(\d{1,9})([smhdw])$/.exec(text)
  const value = parts ? Number(parts[1]) * SECONDS[parts[2] as keyof typeof SECONDS] : 0
  if (value >= 1 && value <= LONGEST) return value
  throw new Failure(`${text} is not a time from 1s to 3650d.`, {
    exit: EXIT.usage,
    next: 'Write a whole number and s, m, h, d or w: 30d',
  })
}
