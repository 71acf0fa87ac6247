import type { Place } from './grammar.ts'
import { quote, valueCases } from './shell.ts'

/** For a folder of $fpath as `_llmagentos`, or to be sourced after compinit. */
export function zsh(places: Place[]): string {
  return `#compdef llmagentos
_llmagentos() {
  local place='' word prev=\${words[CURRENT-1]}
  local -a names flags
  for word in \${words[2,CURRENT-1]}; do
    case "\${place:+$place }$word" in
      ${places
        .filter(p => p.path)
        .map(p => quote(p.path))
        .join('|')}) place="\${place:+$place }$word" ;;
    esac
  done
  case "$place|$prev" in
${valueCases(places, choices =>
  choices.length > 0 ? `compadd -- ${choices.map(quote).join(' ')}; return` : '_files; return',
)}
  esac
  case "$place" in
${places.map(placeCase).join('\n')}
  esac
  if [[ \${words[CURRENT]} == -* ]]; then
    _describe -o flag flags
  elif (( $#names )); then
    _describe word names
  else
    _files
  fi
}
if [[ $funcstack[1] == _llmagentos ]]; then _llmagentos "$@"; else compdef _llmagentos llmagentos; fi`
}

function placeCase(p: Place): string {
  const names = p.words.map(w => described(w.name, w.says))
  const flags = p.flags.flatMap(f =>
    [f.long, f.short].filter(name => name !== undefined).map(name => described(name, f.says)),
  )
  return `    ${quote(p.path)}) names=(${names.join(' ')}) flags=(${flags.join(' ')}) ;;`
}

const described = (name: string, says: string) => quote(`${name.replaceAll(':', '\\:')}:${says}`)
