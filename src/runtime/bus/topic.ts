/** Topic patterns as AMQP has them: words between dots, `*` is one word, `#` any number of words. */
export function matches(pattern: string, topic: string): boolean {
  return fits(pattern.split('.'), topic.split('.'))
}

function fits(pattern: string[], words: string[]): boolean {
  const [first, ...rest] = pattern
  if (first === undefined) return words.length === 0
  if (first === '#') return fits(rest, words) || (words.length > 0 && fits(pattern, words.slice(1)))
  if (words.length === 0 || (first !== '*' && first !== words[0])) return false
  return fits(rest, words.slice(1))
}
