import { quote } from '../connections/quote.ts'
import { ASK_UNITS } from './units.ts'

const MANIFEST = '/var/lib/llmagentos/manifest'

/** Larger ones are artifacts, checked when they are placed. */
const MOST_BYTES = 16 * 1024 ** 2

// One perl and one sha256sum for all, because each process costs more than what it says. What is missing is an answer.
const PROGRAM = String.raw`-e "${MANIFEST}" or exit;
open my $manifest, "<", "${MANIFEST}" or die "${MANIFEST}: $!\n";
# Of its lines about one thing the last one holds.
my (%sign, %digest, @order);
while (<$manifest>) {
  chomp;
  my ($sign, $component, $kind, $name, $digest) = split /\t/;
  defined $name or next;
  my $key = join "\t", $component, $kind, $name;
  exists $sign{$key} or push @order, $key;
  ($sign{$key}, $digest{$key}) = ($sign, $digest // "");
}
my @kept = grep $sign{$_} eq "+", @order;
print "kept\t$_\t$digest{$_}\n" for @kept;
my %names;
for (@kept) { my ($component, $kind, $name) = split /\t/; push @{$names{$kind}}, $name; }

my (@sums, %user, %group);
for my $path (@{$names{file}}) {
  my ($mode, $user, $group, $size) = (lstat $path)[2, 4, 5, 7] or next;
  $user{$user} //= getpwuid $user // "UNKNOWN";
  $group{$group} //= getgrgid $group // "UNKNOWN";
  printf "file\t%s\t%x\t%s\t%s:%s\n", $path, $mode, $size, $user{$user}, $group{$group};
  push @sums, $path if ($mode & 0170000) == 0100000 && $size <= ${MOST_BYTES};
}

# sha256sum reads what is ours of other files from pipes, and those before the files: so neither side waits for the other.
my (@blocks, %block);
for (grep /^[^\t]*\tblock\t/, @kept) {
  my ($component, $path) = (split /\t/)[0, 2];
  my $text = ours($component, $path) // next;
  if (ref $text) { print "block\t$component\t$path\tdamaged\n"; next; }
  pipe my $out, my $in or die "pipe: $!\n";
  fcntl $out, 2, 0;
  push @blocks, [$out, $in, $text];
  $block{"/proc/self/fd/" . fileno $out} = "$component\t$path";
}
if (@sums || @blocks) {
  defined(my $child = open my $said, "-|") or die "fork: $!\n";
  unless ($child) {
    open STDERR, ">", "/dev/null";
    exec "sha256sum", "-z", "--", (map "/proc/self/fd/" . fileno $_->[0], @blocks), @sums;
    exit 127;
  }
  for (@blocks) {
    my ($out, $in, $text) = @$_;
    close $out;
    print $in $text;
    close $in;
  }
  local $/ = "\0";
  while (<$said>) {
    chomp;
    my ($sum, $path) = /^(\w{64})  (.*)/s or next;
    print exists $block{$path} ? "block\t$block{$path}\t$sum\n" : "sum\t$sum  $path\n";
  }
  close $said;
  $? >> 8 <= 1 or die "sha256sum ended with ", $? >> 8, "\n";
}

if (grep /ufw/, @{$names{opening}}) {
  if (open my $rules, "<", "/etc/ufw/user.rules") {
    while (<$rules>) {
      my @word = split;
      print "opening\tufw $word[4] $word[5] $word[8]\n" if @word > 8 && $word[1] eq "tuple" && $word[3] eq "allow";
    }
  }
}
if (grep /firewalld/, @{$names{opening}}) {
  chomp(my $zone = said("firewall-cmd", "--get-default-zone"));
  for (split /\n/, said("firewall-cmd", "--permanent", "--zone=$zone", "--list-rich-rules")) {
    print "opening\tfirewalld $3 $2 $1\n" if /source address="([^"]*)" port port="([0-9]*)" protocol="([a-z]*)" accept/;
  }
}
if (my @units = @{$names{unit}}) {
${ASK_UNITS}
}

# The lines between our marks, without the last line's end; a reference where a mark lacks the other; undef where none is.
sub ours {
  my ($component, $path) = @_;
  open my $file, "<", $path or return;
  my ($marks, $begins, $within, $bad, $text) = (0, 0, 0, 0, "");
  while (<$file>) {
    chomp;
    if ($_ eq "# begin llmagentos $component") { $bad = 1 if $begins++; $within = $marks = 1; }
    elsif ($_ eq "# end llmagentos $component") { $bad = 1 unless $within; $within = 0; $marks = 1; }
    elsif ($within) { $text .= "$_\n"; }
  }
  $marks or return;
  $text =~ s/\n+\z//;
  return $within || $bad ? \$text : $text;
}

sub said {
  open my $program, "-|", @_ or exit 127;
  local $/;
  my $said = <$program> // "";
  close $program or exit($? >> 8 || 1);
  return $said;
}
`

/** What the manifest keeps, and how each thing is now. */
export const KEPT = `exec perl -e ${quote([PROGRAM])}`
