import type { Flag, Place } from './grammar.ts'

/** One word for any POSIX shell, whatever is in it. */
export const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`

/** The `case` lines for what may follow a flag that takes a value, over `place|flag`. */
export function valueCases(places: Place[], body: (choices: string[]) => string): string {
  return places
    .flatMap(p => p.flags.filter(f => f.takesValue).map(f => `    ${patterns(p, f)}) ${body(f.choices)} ;;`))
    .join('\n')
}

const patterns = (p: Place, f: Flag) =>
  [f.long, f.short]
    .filter(name => name !== undefined)
    .map(name => quote(`${p.path}|${name}`))
    .join('|')
