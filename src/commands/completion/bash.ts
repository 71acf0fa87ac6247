import type { Place } from './grammar.ts'
import { quote, valueCases } from './shell.ts'

/** Bash 4 and newer; needs no bash-completion package. */
export function bash(places: Place[]): string {
  return `# bash completion for llmagentos
_llmagentos() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} place='' words='' flags='' i
  # Bash splits --flag=value at the sign.
  if [[ $cur == = ]]; then cur=''; elif [[ $prev == = ]]; then prev=\${COMP_WORDS[COMP_CWORD-2]}; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${place:+$place }\${COMP_WORDS[i]}" in
      ${knownPlaces(places)}) place="\${place:+$place }\${COMP_WORDS[i]}" ;;
    esac
  done
  COMPREPLY=()
  case "$place|$prev" in
${valueCases(places, choices =>
  choices.length > 0 ? `COMPREPLY=($(compgen -W ${quote(choices.join(' '))} -- "$cur")); return` : 'return',
)}
  esac
  case "$place" in
${places.map(placeCase).join('\n')}
  esac
  if [[ $cur == -* ]]; then words=$flags; fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _llmagentos llmagentos`
}

function placeCase(p: Place): string {
  const flags = p.flags.flatMap(f => [f.long, f.short]).filter(f => f !== undefined)
  return `    ${quote(p.path)}) words=${quote(p.words.map(w => w.name).join(' '))} flags=${quote(flags.join(' '))} ;;`
}

const knownPlaces = (places: Place[]) =>
  places
    .filter(p => p.path)
    .map(p => quote(p.path))
    .join('|')
