/**
 * Subs for perl, of which every Debian has the base, that look into disks and write to none. A disk is found by the device files of
 * /dev, and what /sys says of it by their numbers: a container sees the disks of its whole host in /sys. Answers are lines of KEY TAB VALUE.
 */
export const PROBE = String.raw`use strict; use warnings; use Fcntl qw(:DEFAULT :seek :mode); use POSIX ();
my $EDGE = 4 * 1024 * 1024;
my $NO_DISK = qr/^(?:loop|ram|zram|sr|fd|dm-|md|nbd|rbd|zd|drbd|mtdblock|bcache)\d/;

sub slurp { open(my $file, '<', $_[0]) or return ''; local $/; my $text = <$file> // ''; $text =~ s/\s+\z//; return $text }
sub base { return $_[0] =~ s{.*/}{}r }
sub number_of {
  my (undef, undef, $mode, undef, undef, undef, $dev) = stat($_[0]) or return;
  return unless S_ISBLK($mode);
  return ((($dev >> 8) & 0xfff) | (($dev >> 32) & ~0xfff)) . ':' . (($dev & 0xff) | (($dev >> 12) & ~0xff));
}
sub lines_of {
  open(my $from, '-|', @_) or die "$_[0]: $!\n";
  chomp(my @lines = <$from>);
  close($from) or die "$_[0] ended with " . ($? >> 8) . "\n";
  return @lines;
}

# Whole disks by their number; what is below /dev/disk and /dev/mapper are links.
sub disks {
  my %paths;
  for my $path (grep { !-l } glob('/dev/* /dev/*/*')) {
    my $number = number_of($path) // next;
    $paths{$number} //= $path unless base($path) =~ $NO_DISK || -e "/sys/dev/block/$number/partition";
  }
  return \%paths;
}
# Names that outlive a reboot; a disk without any by-id has those by-path, and the kernel's.
sub names {
  my ($number, $path) = @_;
  my $named = sub { map { base($_) } grep { (number_of($_) // '') eq $number } glob("/dev/disk/$_[0]/*") };
  my @names = $named->('by-id');
  return @names ? @names : ($named->('by-path'), base($path));
}
# Whole disks under a partition, a volume or an array.
sub under {
  my ($number) = @_;
  my $about = "/sys/dev/block/$number";
  return under(slurp("$about/../dev")) if -e "$about/partition";
  my @below = map { slurp("$_/dev") } glob("$about/slaves/*");
  return @below ? map { under($_) } @below : ($number);
}
# Who uses which disk: mounts, swap, and programs that have it open.
sub uses {
  my %uses;
  open(my $mounts, '<', '/proc/self/mountinfo') or die "mountinfo: $!\n";
  while (<$mounts>) {
    my ($number, $at, $source) = /^\S+ \S+ (\S+) \S+ (\S+) .* - \S+ (\S+)/ or next;
    $number = number_of($source) // next if $number =~ /^0:/;
    push @{$uses{$_}}, "mount\t$at" for under($number);
  }
  open(my $swaps, '<', '/proc/swaps') or die "swaps: $!\n";
  while (<$swaps>) { my $number = number_of((split)[0]) // next; push @{$uses{$_}}, "swap\t" for under($number) }
  for my $fd (glob('/proc/[0-9]*/fd/*')) {
    next unless (readlink($fd) // '') =~ m{^/dev/};
    my ($pid) = $fd =~ m{(\d+)};
    my $number = number_of($fd) // next;
    push @{$uses{$_}}, "opener\t" . slurp("/proc/$pid/comm") . " ($pid)" for under($number);
  }
  return \%uses;
}
# What udev knows of it, and the kernel where udev is not.
sub about {
  my ($number) = @_;
  my $about = "/sys/dev/block/$number";
  my %udev = map { /^E:([^=]+)=(.*)/ ? ($1, $2) : () } split /\n/, slurp("/run/udev/data/b$number");
  my $serial = $udev{ID_SERIAL_SHORT} || $udev{ID_SERIAL} || slurp("$about/serial") || slurp("$about/device/serial") || slurp("$about/wwid");
  my $model = $udev{ID_MODEL} || slurp("$about/device/model");
  s/[^!-~]+/_/g for $serial, $model;
  my $flag = sub { slurp("$about/$_[0]") eq '1' ? 1 : 0 };
  return ("serial\t$serial", "model\t$model", "rotational\t" . $flag->('queue/rotational'), "removable\t" . $flag->('removable'), "readonly\t" . $flag->('ro'));
}
# Everything on one disk. What it holds is looked for until something is found; an answer is whole when it ends with its last line.
# Whoever has it exclusively already says so.
sub look {
  my ($number, $path, $uses, $alone) = @_;
  my $about = "/sys/dev/block/$number";
  sysopen(my $disk, $path, O_RDONLY | O_NONBLOCK) or die "it cannot be opened: $!\n";
  my $size = sysseek($disk, 0, SEEK_END) // die "its size cannot be read: $!\n";
  my @found = grep { !/^opener/ } @{$uses->{$number} // []};
  my @openers = sort keys %{{ map { $_ => 1 } grep { /^opener/ } @{$uses->{$number} // []} }};
  push @found, map { "partition\t" . base(s{/partition\z}{}r) } glob("$about/*/partition");
  push @found, map { "holder\t" . base($_) } glob("$about/holders/* $about/*/holders/*");
  push @found, signatures($path), bluestore($disk) if $size > 0;
  push @found, volumes($number) if grep { /LVM2_member/ } @found;
  push @found, edges($disk, $size) unless @found;
  # Somebody in another namespace, or without a file system: for the kernel a mount is an exclusive opener, too.
  push @found, $!{EBUSY} ? "busy\t" : die "it cannot be opened exclusively: $!\n"
    unless @found || $alone || sysopen($alone, $path, O_RDONLY | O_NONBLOCK | O_EXCL);
  return (about($number), 'size' . "\t" . ($size + 0), @found, @openers, "whole\t");
}
sub signatures {
  my ($path) = @_;
  my %types = map { s/\s//gr => 1 } lines_of('wipefs', '--noheadings', '--output', 'TYPE', $path);
  return map { "signature\t$_" } sort keys %types;
}
# BlueStore's label: a line of text, the uuid of the OSD, and words with their lengths: its cluster and number are there once it is made.
sub bluestore {
  my ($disk) = @_;
  sysseek($disk, 0, SEEK_SET) // die "it cannot be read: $!\n";
  sysread($disk, my $label, 4096) // die "it cannot be read: $!\n";
  my ($uuid) = $label =~ /\Abluestore block device\n([0-9a-f-]{36})\n/ or return ();
  my $word = sub {
    my $at = index($label, pack('V', length $_[0]) . $_[0]);
    return '-' if $at < 0;
    my $text = unpack('V/a', substr($label, $at + 4 + length $_[0]));
    return $text =~ /\A[\w.-]{1,64}\z/ ? $text : '-';
  };
  return "bluestore\t" . join(' ', $uuid, map { $word->($_) } 'ceph_fsid', 'whoami', 'mkfs_done');
}
# GROUP/NAME/BYTES/FREE BYTES OF THE GROUP/TAGS; room that is left is a volume without a name. LVM knows a disk by its usual path alone.
sub volumes {
  my ($number) = @_;
  return () unless -x '/usr/sbin/pvs';
  my @asked = (qw(--readonly --noheadings --units b --nosuffix --separator / -o), 'vg_name,lv_name,lv_size,vg_free,lv_tags');
  my %seen;
  return map { /[^\s\/]/ && !$seen{$_}++ ? "volume\t" . s/^\s+//r : () } lines_of('pvs', @asked, disks()->{$number} // die "it has gone\n");
}
sub edges {
  my ($disk, $size) = @_;
  my $edge = $size < $EDGE ? $size : $EDGE;
  return ((same($disk, 0, $edge) ? () : "data\tfirst"), (same($disk, $size - $edge, $edge) ? () : "data\tlast"));
}
# All zeros, or all ones, as erased flash reads.
sub same {
  my ($disk, $from, $left) = @_;
  sysseek($disk, $from, SEEK_SET) // die "it cannot be read: $!\n";
  my ($zeros, $ones) = (1, 1);
  while ($left > 0) {
    my $got = sysread($disk, my $bytes, $left < 1048576 ? $left : 1048576) or die "it cannot be read: $!\n";
    $zeros &&= $bytes !~ tr/\0//c;
    $ones &&= $bytes !~ tr/\xff//c;
    return 0 unless $zeros || $ones;
    $left -= $got;
  }
  return 1;
}
`

/** Looks into all disks at once, each in a process of its own: one that hangs is unknown after 10 s, and the others are told. */
export const LOOK_AT_ALL = String.raw`${PROBE}
my ($disks, $uses) = (disks(), uses());
print "link\t", base($_), "\t", number_of($_) // '-', "\n" for glob('/dev/disk/by-id/*');
my %waits;
for my $number (keys %$disks) {
  pipe(my $from, my $to) or die "pipe: $!\n";
  my $pid = fork() // die "fork: $!\n";
  $waits{$pid} = { number => $number, from => $from, said => '' } if $pid;
  next if $pid;
  setpgrp(0, 0);
  open(STDOUT, '>', '/dev/null'); open(STDERR, '>', '/dev/null');
  my @lines = eval { look($number, $disks->{$number}, $uses) };
  @lines = ("unknown\t" . ($@ =~ s/\s+\z//r =~ s/\s+/ /gr), "whole\t") if $@;
  syswrite($to, join('', map { "$_\n" } @lines));
  POSIX::_exit(0);
}
my $end = time + 10;
while (%waits && time < $end) {
  my $bits = '';
  vec($bits, fileno($_->{from}), 1) = 1 for values %waits;
  select($bits, undef, undef, $end - time) > 0 or next;
  for my $pid (keys %waits) {
    my $wait = $waits{$pid};
    next if !vec($bits, fileno($wait->{from}), 1) || sysread($wait->{from}, $wait->{said}, 65536, length $wait->{said});
    told($wait);
    delete $waits{$pid};
  }
}
for my $pid (keys %waits) { kill 'KILL', -$pid; told({ %{$waits{$pid}}, said => "unknown\tno answer within 10 s\nwhole\t\n" }) }
sub told {
  my ($wait) = @_;
  my $path = $disks->{$wait->{number}};
  print "disk\t$path\nnumber\t$wait->{number}\n", (map { "name\t$_\n" } names($wait->{number}, $path)), $wait->{said};
}
print "all\t\n";
POSIX::_exit(0) if close(STDOUT);`
