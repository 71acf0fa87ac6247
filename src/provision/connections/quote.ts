/**
 * One line of shell from an argv; the only way by which data gets into one. Backslashes and single quotes stand in double quotes,
 * because then sh, bash, zsh and fish read the line alike. Throws for NUL, which no argument can hold.
 */
export function quote(argv: string[]): string {
  return argv.map(quoted).join(' ')
}

/** The same for people: one short line. */
export function shown(argv: string[]): string {
  const line = quote(argv.map(word => word.replace(/\s+/g, ' ').trim()))
  return line.length > 100 ? `${line.slice(0, 97)}...` : line
}

function quoted(word: string): string {
  if (word.includes('\0')) throw new Error('an argument holds a NUL byte')
  if (/^[A-Za-z0-9_/.,:@%+-][A-Za-z0-9_/.,:@%+=-]*$/.test(word)) return word
  if (word === '') return "''"
  return word.replace(/'+|\\+|[^'\\]+/g, part => {
    if (part.startsWith("'")) return `"${part}"`
    if (part.startsWith('\\')) return `"${part}${part}"`
    return `'${part}'`
  })
}
