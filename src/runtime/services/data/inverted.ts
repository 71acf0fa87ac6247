export const LARGEST = 9_999_999_999

/** A number as ten digits that sort the other way round, so that a LIST of one key finds the newest. */
export const inverted = (n: number) => String(LARGEST - n).padStart(10, '0')

/** Sorts after every inverted number: where a LIST goes on that skips the rest of a folder. */
export const PAST_NUMBERS = '~'
