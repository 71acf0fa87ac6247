import { type Step, step } from '../reconcile/step.ts'
import { type Disk, volumesOn } from './disk.ts'
import { isRoot } from './guard.ts'
import { PROBE } from './probe.ts'

const WIPE_MS = 10 * 60_000

/** Why a disk must not be emptied, whoever asks; undefined where nothing is in the way. */
export function inUse(disk: Disk): string | undefined {
  if (disk.unknown !== undefined) return `it could not be found out what it holds: ${disk.unknown}`
  const of = (kind: Disk['holds'][number]['kind']) => disk.holds.filter(one => one.kind === kind)
  if (isRoot(disk)) return 'the system lives on it'
  const mounts = disk.holds.flatMap(one => (one.kind === 'mount' ? [one.at] : []))
  if (mounts.length > 0) return `it is mounted on ${mounts.join(', ')}`
  if (of('swap').length > 0) return 'it is swap that is in use'
  const holders = disk.holds.flatMap(one => (one.kind === 'holder' ? [one.name] : []))
  if (holders.length > 0 && !areRemains(disk)) return `it is part of ${holders.join(', ')}, which is active`
  const openers = disk.openers.filter(name => !/udev/.test(name))
  if (openers.length > 0) return `${openers.join(', ')} has it open`
  if (of('busy').length > 0) return 'something has it open that shows no more of itself'
  return disk.readonly ? 'it is read-only' : undefined
}

/** Volumes that ceph-volume made, and nothing else: LVM opens them by itself at each boot, whether anybody wants them or not. */
const areRemains = (disk: Disk): boolean => {
  const volumes = volumesOn(disk).filter(({ name }) => name)
  return volumes.length > 0 && volumes.every(({ osd }) => osd !== undefined)
}

/** Empties the disk of this name, if it still is the one that was shown. */
export const wiping = (node: string, o: { name: string; disk: Disk }): Step =>
  step({
    node,
    says: `wipe the disk ${o.name}`,
    risk: 'destroy',
    deadlineMs: WIPE_MS,
    act: {
      do: 'run',
      argv: ['perl', '-e', WIPE, '--', o.name, String(o.disk.sizeBytes), o.disk.serial],
    },
  })

// What is on partitions goes first, so that no later table makes it appear again. Newer BlueStore has copies of its label at 1, 10, 100
// and 1000 GiB.
const WIPE = String.raw`${PROBE}
use IO::Handle;
my ($name, $size, $serial) = @ARGV;
my $disks = disks();
my ($number) = grep { my $n = $_; grep { $_ eq $name } names($n, $disks->{$n}) } keys %$disks;
refuse("there is no disk of that name any more") unless defined $number;
my @made;
my $file = device($number);
my @lines = eval { look($number, $file, uses()) };
refuse($@ =~ s/\s+\z//r) if $@;
my %is = map { split /\t/, $_, 2 } @lines;
refuse("it has $is{size} bytes, and had $size") if $is{size} != $size;
refuse("its serial number is $is{serial}, and was $serial") if $is{serial} ne $serial;
if (my @remains = remains(@lines)) {
  closed($_) for @remains;
  @lines = eval { look($number, $file, uses()) };
  refuse($@ =~ s/\s+\z//r) if $@;
}
my @used = grep { /^(mount|swap|holder|busy|opener)\t/ && !/udev/ } @lines;
refuse('it is in use: ' . join(', ', map { s/\t/ /r } @used)) if @used;
for my $part (map { s{/partition\z}{}r } glob("/sys/dev/block/$number/*/partition")) { wiped(device(slurp("$part/dev"))) }
wiped($file);
sysopen(my $disk, $file, O_RDWR | O_EXCL) or refuse("it cannot be opened alone: $!");
my $edge = $size < $EDGE ? $size : $EDGE;
zero(0, $edge);
zero($size - $edge, $edge);
for my $copy (map { $_ * 1073741824 } 1, 10, 100, 1000) {
  next if $copy + 4096 > $size;
  sysseek($disk, $copy, SEEK_SET) && sysread($disk, my $label, 22) or die "$name cannot be read: $!\n";
  zero($copy, 4096) if $label eq 'bluestore block device';
}
$disk->sync or die "$name: $!\n";
ioctl($disk, 0x125f, 0);
unlink @made;
sub device {
  my $file = "/dev/.llmagentos-$$-" . ($_[0] =~ tr/:/-/r);
  unlink $file;
  system('mknod', '-m', '0600', $file, 'b', split(/:/, $_[0])) == 0 or refuse('mknod failed');
  push @made, $file;
  return $file;
}
# Groups with volumes of OSDs alone, none of which anybody uses.
sub remains {
  my @volumes = grep { /^volume\t/ } @_;
  return () if !@volumes || grep { /^(mount|swap|opener)\t/ && !/udev/ } @_;
  return () if grep { !m{^volume\t[^/]+/(?:osd-(?:block|db)-[0-9a-f-]{36})?/} } @volumes;
  return keys %{{ map { m{^volume\t([^/]+)/} ? ($1 => 1) : () } @volumes }};
}
# With what is decrypted of them. Whatever is in use stays open, and is found so.
sub closed {
  my ($group) = @_;
  for my $volume (glob("/dev/$group/*")) {
    my $number = number_of($volume) // next;
    system('cryptsetup', 'close', slurp("$_/dm/name")) for glob("/sys/dev/block/$number/holders/dm-*");
  }
  system('vgchange', '--quiet', '-an', $group);
}
sub wiped { system('wipefs', '--quiet', '--all', $_[0]) == 0 or do { unlink @made; exit 1 } }
sub zero {
  my ($from, $left) = @_;
  sysseek($disk, $from, SEEK_SET) // die "$name: $!\n";
  while ($left > 0) {
    my $put = syswrite($disk, "\0" x ($left < 1048576 ? $left : 1048576)) or die "$name cannot be written: $!\n";
    $left -= $put;
  }
}
sub refuse { unlink @made; print STDERR "The disk $name was left as it is: $_[0].\n"; exit 9 }
`
