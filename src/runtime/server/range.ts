import { Refusal } from '../refusal.ts'

/** The part that a Range header asks for, both ends included; undefined: the whole. Forms that we do not serve mean the whole, as HTTP allows. */
export function rangeOf(header: string | undefined, bytes: number): { from: number; to: number } | undefined {
  const asked = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '')
  if (!asked || (!asked[1] && !asked[2])) return undefined
  const [first, last] = [asked[1], asked[2]]
  const from = first ? Number(first) : Math.max(0, bytes - Number(last))
  const to = first && last ? Math.min(Number(last), bytes - 1) : bytes - 1
  if (first && last && Number(last) < Number(first)) return undefined
  if (from >= bytes || to < from)
    throw new Refusal(416, 'range', `It has ${bytes} bytes; the range lies outside.`)
  return { from, to }
}
