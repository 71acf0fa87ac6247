import { EXIT, Failure } from '../errors.ts'

/** Readers of option values. */
export const wholeNumber =
  (o: { from: number; to: number }) =>
  (text: string): number => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= o.from && value <= o.to) return value
    throw new Failure(`${text} is not a whole number from ${o.from} to ${o.to}.`, { exit: EXIT.usage })
  }

/** An option that may be given several times. */
export const each = (text: string, before: unknown): string[] => [
  ...((before as string[] | undefined) ?? []),
  text,
]
