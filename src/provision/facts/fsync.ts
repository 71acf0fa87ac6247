import { quote } from '../connections/quote.ts'
import type { Fact } from './fact.ts'
import { linesOf, whole } from './fields.ts'
import { MACHINE } from './machine.ts'

const WRITES = 200
const MOST_MS = 5_000

/**
 * How long each of up to 200 written and synced blocks of 4 KiB took, in milliseconds, sorted. The file has no name while it is
 * written, so nothing of it stays. Writes for up to 5 s.
 */
export const fsync: Fact<number[]> = {
  id: 'fsync /var/lib',
  deadlineMs: MOST_MS * 3,
  // A bare Debian has perl-base, which has no Time::HiRes: the clock is asked by the system call's number.
  script: `exec perl -MFcntl -e ${quote([
    `${MACHINE}
my $number = {x86_64 => 228, aarch64 => 113}->{machine()} // die "not known on this machine\\n";
sub now { my $t = pack("qq", 0, 0); syscall($number, 1, $t) == 0 or die "clock: $!\\n"; my ($s, $n) = unpack("qq", $t); $s * 1e6 + int($n / 1000) }
my $file = "/var/lib/.llmagentos-check.$$";
sysopen(my $out, $file, O_RDWR | O_CREAT | O_EXCL | O_DSYNC, 0600) or die "$file: $!\\n";
unlink $file;
my $block = "\\0" x 4096;
my $end = now() + ${MOST_MS * 1000};
for (1 .. ${WRITES}) {
  my $begin = now();
  last if $begin > $end;
  (syswrite($out, $block) // die "write: $!\\n") == 4096 or die "a short write\\n";
  print now() - $begin, "\\n";
}`,
  ])}`,
  parse(stdout) {
    const took = linesOf(stdout).map(line => whole(line) / 1000)
    if (took.length === 0) throw new Error('nothing was written')
    return took.sort((a, b) => a - b)
  },
}

/** The value that 99 of 100 do not exceed; the largest of fewer than 100. */
export function p99(sorted: number[]): number {
  return sorted[Math.ceil(sorted.length * 0.99) - 1]!
}
