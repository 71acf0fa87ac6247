import { quote } from '../connections/quote.ts'
import type { Fact } from './fact.ts'
import { linesOf, whole } from './fields.ts'
import { MACHINE } from './machine.ts'

/** Who holds one of the locks of apt and dpkg. */
export interface AptLock {
  file: string
  pid: number
  /** `/usr/bin/python3 /usr/bin/unattended-upgrade`; empty where that could not be seen. */
  command: string
}

const FILES = ['/var/lib/dpkg/lock-frontend', '/var/lib/dpkg/lock', '/var/lib/apt/lists/lock']

/** The locks that are held in this moment. */
export const aptLocks: Fact<AptLock[]> = {
  id: 'apt locks',
  deadlineMs: 5_000,
  // fuser is not on a bare node, and /proc/locks names inodes that an overlay knows by other numbers: the kernel is asked itself, by the
  // numbers of F_WRLCK, F_GETLK and F_UNLCK.
  script: `exec perl -e ${quote([
    `${MACHINE}
machine() =~ /^(x86_64|aarch64)$/ or die "not known on this machine\\n";
for my $file (@ARGV) {
  open(my $in, "<", $file) or next;
  my $lock = pack("s s x4 q q l x4", 1, 0, 0, 0, 0);
  fcntl($in, 5, $lock) or die "$file: $!\\n";
  my ($type, undef, undef, undef, $pid) = unpack("s s x4 q q l", $lock);
  next if $type == 2;
  my $command = "";
  if (open(my $line, "<", "/proc/$pid/cmdline")) { local $/; $command = <$line> // ""; }
  $command =~ s/[\\0\\s]+/ /g;
  print "$file\\t$pid\\t", substr($command, 0, 200), "\\n";
}`,
  ])} -- ${quote(FILES)}`,
  parse: stdout =>
    linesOf(stdout).map(line => {
      const [file, pid, command] = line.split('\t')
      if (!file || command === undefined) throw new Error(`${JSON.stringify(line)} is no lock`)
      return { file, pid: whole(pid), command: command.trim() }
    }),
}
