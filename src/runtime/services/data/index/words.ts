/** Languages written without spaces: the tokeniser would take a whole sentence for one word. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]+/gu
const WORD = /[\p{Alphabetic}\p{N}]+/gu
const MOST_TERMS = 64

/** Words that a question is made of and that say nothing about what is asked; in a small knowledge base they would outweigh the rest. */
const FILLERS = new Set(
  `a about all also am an and any are as at be been but by can could did do does for from get give had has have he her his how i if
  in into is it its just like me my need no not of on one or our out please she should so some tell than that the their them then there
  these they this those to us want was we were what when where which who why will with would you your`.split(
    /\s+/,
  ),
)

/** What the index holds of a text: one spelling of each character, and single characters and pairs where a script has no spaces. */
export function indexText(text: string): string {
  return text.normalize('NFKC').replace(UNSPACED, run => ` ${[...singles(run), ...pairs(run)].join(' ')} `)
}

/** What to look for: the distinct words of any text, without operators; '' when it holds none. */
export function queryText(text: string): string {
  const spelled = text.normalize('NFKC').replace(UNSPACED, run => ` ${pairs(run).join(' ')} `)
  const words = [...new Set((spelled.match(WORD) ?? []).map(w => w.toLowerCase()))]
  const telling = words.filter(w => !FILLERS.has(w))
  const terms = (telling.length > 0 ? telling : words).slice(0, MOST_TERMS)
  return [...new Set(terms.flatMap(w => [w, ...kin(w)]))].join(' ')
}

/** The stemmer takes "adding" to "ad" and "add" to "add", so that each would miss the other; whoever says one means both. */
function kin(word: string): string[] {
  const bent = /^(\w+([bdfgmnprt])\2)(?:ing|ed)$/.exec(word)
  if (bent) return [bent[1]!]
  return /^\w+([bdfgmnprt])\1$/.test(word) ? [`${word}ing`] : []
}

const singles = (run: string) => [...run]

function pairs(run: string): string[] {
  const chars = [...run]
  return chars.length === 1 ? chars : chars.slice(1).map((c, i) => `${chars[i]}${c}`)
}
