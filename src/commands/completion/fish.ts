import type { Flag, Place } from './grammar.ts'

/** Fish 3 and newer. */
export function fish(places: Place[]): string {
  return `# fish completion for llmagentos
function __llmagentos_place
  set -l place ''
  for word in (commandline -opc)[2..-1]
    set -l longer (string trim -- "$place $word")
    contains -- $longer ${places
      .filter(p => p.path)
      .map(p => quote(p.path))
      .join(' ')}
    and set place $longer
  end
  test "$place" = "$argv[1]"
end
complete -c llmagentos -e
${places.flatMap(linesOf).join('\n')}`
}

function linesOf(p: Place): string[] {
  const at = `complete -c llmagentos -n ${quote(`__llmagentos_place ${quote(p.path)}`)}`
  return [
    ...p.words.map(w => `${at} -f -a ${quote(w.name)} -d ${quote(w.says)}`),
    ...p.flags.map(f => `${at} ${flagOf(f)} -d ${quote(f.says)}`),
  ]
}

function flagOf(f: Flag): string {
  const words = []
  if (f.long) words.push(`-l ${f.long.slice(2)}`)
  if (f.short) words.push(`-s ${f.short.slice(1)}`)
  if (f.choices.length > 0) words.push(`-x -a ${quote(f.choices.join(' '))}`)
  else if (f.takesValue) words.push('-r')
  return words.join(' ')
}

/** Inside single quotes fish reads a backslash only before a quote and before itself. */
const quote = (text: string) => `'${text.replace(/[\\']/g, '\\$&')}'`
