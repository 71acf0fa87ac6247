import { quote } from '../connections/quote.ts'
import type { Fact } from './fact.ts'
import { linesOf } from './fields.ts'

/** What names mean on the node, by the way its programs ask: /etc/hosts, DNS. IPv4; no address where a name means nothing there. */
export type Names = Map<string, string[]>

/** `names`, and the node's own host name. */
export function names(names: string[]): Fact<Names> {
  const all = [...new Set(names)]
  return {
    id: `names ${all.join(' ')}`,
    deadlineMs: 20_000,
    // getent: 0 found, 2 not found; DNS that does not answer is a 2 as well, after a while.
    script: `for name in "$(uname -n)" ${quote(all)}; do
  found=$(timeout 4 getent ahostsv4 -- "$name"); code=$?
  [ $code = 0 ] || [ $code = 2 ] || [ $code = 124 ] || exit $code
  addresses=
  while read -r address rest; do
    case " $addresses " in *" $address "*) ;; *) addresses="$addresses $address" ;; esac
  done <<END
$found
END
  printf '%s\\t%s\\n' "$name" "$addresses"
done`,
    parse(stdout) {
      const found = linesOf(stdout).map((line): [string, string[]] => {
        const [name, addresses] = line.split('\t')
        if (!name || addresses === undefined) throw new Error(`${JSON.stringify(line)} is no line of it`)
        return [name, addresses.split(' ').filter(Boolean).sort()]
      })
      if (found.length !== all.length + 1) throw new Error('it is not about all names')
      return new Map(found)
    },
  }
}
