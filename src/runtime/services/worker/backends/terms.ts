/** The words of a text that carry its meaning, in order, reduced so that "nodes" and "node", "adding" and "add" are one term. */
export function termsOf(text: string): string[] {
  const terms: string[] = []
  for (const [word] of text.toLowerCase().normalize('NFKC').matchAll(WORDS)) {
    if (!STOP_WORDS.has(word)) terms.push(stem(word))
  }
  return terms
}

/** Scripts without spaces between words are taken character by character. */
const WORDS =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|[\p{L}\p{M}\p{N}]+(?:['’]\p{L}+)?/gu

const STOP_WORDS = new Set(
  `a about after all also am an and any are as at be been being but by can could did do does doing don't each for from get gets had has have
  having he her here him his how i i'd i'm if in into is isn't it it's its just like may me might more most must my need no not of on one
  or our out please shall she should so some such tell than that the their them then there these they this those to too under until up us
  use used using very want was we were what what's when where which while who whom whose why will with would you your`.split(
    /\s+/,
  ),
)

function stem(word: string): string {
  if (word.length < 4 || !/^[a-z]+$/.test(word)) return word
  const whole = word.endsWith('ies')
    ? `${word.slice(0, -3)}y`
    : /(?:s|x|z|ch|sh)es$/.test(word)
      ? word.slice(0, -2)
      : word.endsWith('s') && !word.endsWith('ss') && !word.endsWith('us')
        ? word.slice(0, -1)
        : word
  const root = /^(.{3,}?)(?:ing|ed)$/.exec(whole)?.[1]
  const bare = root ? root.replace(/([bdfgmnprt])\1$/, '$1') : whole
  return bare.length > 3 && bare.endsWith('e') ? bare.slice(0, -1) : bare
}
