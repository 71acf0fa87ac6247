import { EXIT, Failure } from '../../errors.ts'

const UNITS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
// The longest that a timer of Node can wait.
const LONGEST_MS = 2_147_483_647

/** 90s, 10m, 2h, 7d as milliseconds. Throws Failure (2). */
export function timeSpan(text: string): number {
  const ms = spanMs(text)
  if (ms !== undefined && ms <= LONGEST_MS) return ms
  throw new Failure(`${text} is not a time span.`, {
    exit: EXIT.usage,
    next: 'Write 90s, 10m, 2h or 7d; 24 days at most.',
  })
}

/** What journalctl takes for a point in time: a span before now, a date, a date with a time, today or yesterday. Throws Failure (2). */
export function since(text: string): string {
  const ms = spanMs(text)
  if (ms !== undefined) return `-${ms / 1_000}s`
  const [, date, time] = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?))?$/.exec(text) ?? []
  if (date !== undefined && !Number.isNaN(Date.parse(`${date}T${time ?? '00:00'}Z`)))
    return time === undefined ? date : `${date} ${time}`
  if (text === 'today' || text === 'yesterday') return text
  throw new Failure(`${text} is not a point in time.`, {
    exit: EXIT.usage,
    next: 'Write 10m, 2h or 7d for that long ago; 2026-01-31 or 2026-01-31T08:00 by the clock of the node; today or yesterday.',
  })
}

function spanMs(text: string): number | undefined {
  const [, count, unit] = /^([1-9]\d{0,9})([smhd])$/.exec(text) ?? []
  return unit === undefined ? undefined : Number(count) * UNITS[unit]!
}
