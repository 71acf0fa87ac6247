import type { Disk } from './disk.ts'
import { SMALLEST } from './guard.ts'
import { PROBE } from './probe.ts'

/** What a disk was when the plan was made. */
export interface Expected {
  name: string
  disk: Disk
  /** The uuid of an OSD of ours, whose making was cut short, which may lie on it. */
  unfinished?: string
  /** The volume group of ours that may be on it, with nothing in it but volumes of OSDs; then others may have volumes of it open. */
  group?: string
}

/**
 * The arguments of a program that looks again, in the step itself, at the disk of a name: same serial number and size, and nothing on it
 * but what is expected. Only then it runs `argv`, with one more argument: a device file of its own for that very disk, which no renaming
 * moves. Else it says why not, and nothing was written.
 */
export function taking({ name, disk, unfinished, group }: Expected, argv: string[]): string[] {
  const words = [name, String(disk.sizeBytes), disk.serial, unfinished ?? '-', group ?? '-']
  return ['perl', '-e', TAKE, '--', ...words, ...argv]
}

const TAKE = String.raw`${PROBE}
$^F = 255;
my ($name, $size, $serial, $uuid, $group, @argv) = @ARGV;
my $disks = disks();
my ($number) = grep { my $n = $_; grep { $_ eq $name } names($n, $disks->{$n}) } keys %$disks;
refuse("there is no disk of that name any more") unless defined $number;
my $file = "/dev/.llmagentos-$$-" . ($number =~ tr/:/-/r);
unlink $file;
system('mknod', '-m', '0600', $file, 'b', split(/:/, $number)) == 0 or exit 1;
my $alone;
if (!sysopen($alone, $file, O_RDONLY | O_NONBLOCK | O_EXCL)) {
  refuse($!{EBUSY} ? 'something uses it' : "it cannot be opened: $!") unless $group ne '-' && $!{EBUSY};
  undef $alone;
}
# A number is not given to another disk while somebody has this one open.
refuse('it has just gone') unless grep { my $n = $_; $n eq $number && grep { $_ eq $name } names($n, $disks->{$n}) } keys %{disks()};
my @lines = eval { look($number, $file, uses(), $alone) };
refuse($@ =~ s/\s+\z//r) if $@;
my %is = map { split /\t/, $_, 2 } @lines;
refuse("it has $is{size} bytes, and had $size") if $is{size} != $size;
refuse("its serial number is $is{serial}, and was $serial") if $is{serial} ne $serial;
refuse('it is smaller than 5 GiB') if $is{size} < ${SMALLEST};
refuse('it is read-only') if $is{readonly};
refuse('it is removable') if $is{removable};
my @odd = grep { /^(?!serial|model|rotational|removable|readonly|size|opener|whole)/ } @lines;
@odd = grep { !/^bluestore\t$uuid / && $_ ne "signature\tceph_bluestore" } @odd if grep { /^bluestore\t$uuid / } @odd;
my @volumes = grep { /^volume\t/ } @odd;
my $ours = $group ne '-' && @volumes && !grep { !m{^volume\t\Q$group\E/(?:osd-(?:block|db)-[0-9a-f-]{36})?/} } @volumes;
@odd = grep { !/^(?:volume|holder)\t/ && $_ ne "signature\tLVM2_member" } @odd if $ours;
refuse('it is not blank any more: ' . join(', ', map { s/\t$//r =~ s/\t/ /r } @odd)) if @odd;
my @openers = grep { /^opener/ && !/ \($$\)$/ && !/udev/ && !($ours && /^opener\tceph-osd /) } @lines;
refuse('somebody has it open: ' . join(', ', map { s/.*\t//r } @openers)) if @openers;
# BlueStore and LVM open it exclusively themselves. That it stays open keeps its number from going to another disk.
sysopen(my $open, $file, O_RDONLY | O_NONBLOCK) or refuse("it cannot be opened: $!");
close($alone) if $alone;
exec(@argv, $file) or die "$argv[0]: $!\n";
sub refuse { unlink glob("/dev/.llmagentos-$$-*"); print STDERR "The disk $name was left as it is: $_[0].\n"; exit 9 }
`
