import { quote } from '../connections/quote.ts'
import type { Fact } from './fact.ts'
import { linesOf } from './fields.ts'

/** What names mean on the node, by the way its programs ask: /etc/hosts, DNS. IPv4; no address where a name means nothing there. */
export type Names = Map<string, string[]>

const EACH_S = 4

// By the C library, as every program there asks. DNS that does not answer counts as a name that means nothing, after a while: no handler
// could end that call, so a child makes it and the alarm ends the child.
const ASK_EACH = `while (@ARGV) {
  my $child = open(my $said, "-|") // die "fork: $!\\n";
  unless ($child) {
    $| = 1;
    for (@ARGV) {
      alarm ${EACH_S};
      my %seen;
      my (undef, undef, undef, undef, @found) = gethostbyname($_);
      print "$_\\t", join(" ", grep !$seen{$_}++, map join(".", unpack "C4", $_), grep length == 4, @found), "\\n";
    }
    exit;
  }
  while (<$said>) { print; shift }
  close $said;
  if (($? & 127) == 14) { print shift, "\\t\\n" }
  elsif (@ARGV) { die "the names were not asked for to the end\\n" }
}`

/** `names`, and the node's own host name. */
export function names(names: string[]): Fact<Names> {
  const all = [...new Set(names)]
  return {
    id: `names ${all.join(' ')}`,
    deadlineMs: 20_000,
    script: `read -r host </proc/sys/kernel/hostname || exit
exec perl -e ${quote([ASK_EACH])} -- "$host" ${quote(all)}`,
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
