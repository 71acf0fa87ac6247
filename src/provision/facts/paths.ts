import { quote } from '../connections/quote.ts'
import type { Fact } from './fact.ts'
import { linesOf, whole } from './fields.ts'

/** An address of version 4, and the size of packets that have to get there; without one as large as the own interface lets them be. */
export interface Path {
  address: string
  mtu?: number
}

/** What packets to it came to, that nobody on the way may take apart. */
export interface Walked {
  address: string
  /** Of the packets that were sent: the one of the question, or the own interface's. */
  mtu: number
  /** A packet of 84 bytes was answered. */
  small: boolean
  /** One of the whole size was; `local`: the own interface takes none as large; `told`: a router said that it is too large. */
  large: 'answered' | 'lost' | 'local' | 'told'
  /** How far its clock is ahead of this node's, and half of the time that the question took; in milliseconds. Missing where it tells no time. */
  ahead?: number
  within?: number
}

const TRIES = 3

/** Sends to all at once, by ICMP: what a node answers without any program of its own. Nothing is changed, and nothing has to listen. */
export function paths(to: Path[]): Fact<Walked[]> {
  const words = to.flatMap(({ address, mtu }) => [address, String(mtu ?? 0)])
  return {
    id: `paths ${words.join(' ')}`,
    deadlineMs: 20_000,
    script: `exec perl -MSocket -MFcntl -e ${quote([WALK])} ${words.join(' ')}`,
    parse(stdout) {
      const found = linesOf(stdout).map(walkedOf)
      if (found.length !== to.length) throw new Error('it is not about all addresses')
      return found
    },
  }
}

// A bare Debian has perl-base, which has no Time::HiRes: the clock is asked by the system call's number. IP_MTU_DISCOVER (10) as
// IP_PMTUDISC_PROBE (3) keeps every packet whole, whatever was learnt of the way before.
const WALK = String.raw`use strict; use warnings;
my %call = (x86_64 => 228, aarch64 => 113);
chomp(my $machine = ${'`'}uname -m${'`'});
my $clock = $call{$machine} // die "not known on $machine\n";
sub now { my $t = "\0" x 16; syscall($clock, 0, $t); my ($s, $n) = unpack("q q", $t); return $s * 1000 + $n / 1e6 }
sub sum { my $t = shift; $t .= "\0" if length($t) % 2; my $s = 0; $s += $_ for unpack("n*", $t); $s = ($s >> 16) + ($s & 0xffff) while $s >> 16; return ~$s & 0xffff }
sub packet { my ($type, $id, $seq, $rest) = @_; my $t = pack("CCnnn", $type, 0, 0, $id, $seq) . $rest; substr($t, 2, 2) = pack("n", sum($t)); return $t }
socket(my $s, PF_INET, SOCK_RAW, 1) or die "no socket for ICMP: $!\n";
setsockopt($s, 0, 10, pack("i", 3)) or die "packets cannot be kept whole: $!\n";
setsockopt($s, SOL_SOCKET, SO_RCVBUF, pack("i", 4 << 20));
my (@peers, %at);
while (@ARGV) {
  my ($address, $mtu) = splice(@ARGV, 0, 2);
  if (!$mtu) {
    my ($dev) = ${'`'}ip -o -4 route get $address 2>/dev/null${'`'} =~ / dev (\S+)/;
    open(my $file, '<', '/sys/class/net/' . ($dev // 'lo') . '/mtu') or die "$dev has no MTU: $!\n";
    chomp($mtu = <$file>);
    $mtu = 65535 if $mtu > 65535;
  }
  push @peers, { address => $address, to => pack_sockaddr_in(0, inet_aton($address)), mtu => $mtu, small => 0, large => 'lost' };
  $at{$#peers} = $peers[-1];
}
my $own = $$ & 0xffff;
for my $try (1 .. ${TRIES}) {
  my ($waits, $open) = (0, 0);
  for my $i (0 .. $#peers) {
    my $p = $peers[$i];
    if (!$p->{small}) { send($s, packet(8, $own, $i, "\0" x 56), 0, $p->{to}); $waits++ }
    if ($p->{large} eq 'lost') {
      $waits++;
      send($s, packet(8, $own ^ 1, $i, "\0" x ($p->{mtu} - 28)), 0, $p->{to}) or do { $waits--; $p->{large} = 'local' if $!{EMSGSIZE} };
    }
    $p->{asked} = now();
    send($s, packet(13, $own, $i, pack("NNN", 0, 0, 0)), 0, $p->{to});
    $open++;
  }
  $open += $waits;
  my $end = now() + ($try == 1 || $waits ? 1000 : 300);
  while ($open > 0 && (my $left = $end - now()) > 0) {
    my $ready = ''; vec($ready, fileno($s), 1) = 1;
    select($ready, undef, undef, $left / 1000) or last;
    my $from = recv($s, my $got, 65536, 0) // next;
    my $came = now();
    my $head = (unpack("C", $got) & 15) * 4;
    next if length($got) < $head + 8;
    my ($type, $code, undef, $id, $seq) = unpack("CCnnn", substr($got, $head));
    if ($type == 3 && $code == 4) {
      my $inner = substr($got, $head + 8);
      my $skip = (unpack("C", $inner) & 15) * 4;
      next if length($inner) < $skip + 8;
      (undef, undef, undef, $id, $seq) = unpack("CCnnn", substr($inner, $skip));
      $at{$seq}{large} = 'told' if $id == ($own ^ 1) && $at{$seq};
      next;
    }
    my $p = $at{$seq} // next;
    next unless (unpack_sockaddr_in($from))[1] eq (unpack_sockaddr_in($p->{to}))[1];
    if ($type == 0 && $id == $own) { $p->{small} = 1; $open-- }
    elsif ($type == 0 && $id == ($own ^ 1)) { $p->{large} = 'answered'; $open-- }
    elsif ($type == 14 && $id == $own) {
      $open--;
      my (undef, $received) = unpack("NN", substr($got, $head + 8));
      next if $received & 0x80000000;
      my $took = $came - $p->{asked};
      next if defined $p->{within} && $p->{within} <= $took / 2;
      # Milliseconds since midnight, of whichever day is near.
      my $ahead = $received + 0.5 - ($p->{asked} + $came) / 2;
      $ahead -= 86400000 * sprintf("%.0f", $ahead / 86400000);
      @$p{qw(ahead within)} = ($ahead, $took / 2);
    }
  }
}
for my $p (@peers) {
  print join("\t", $p->{address}, @$p{qw(mtu small large)}, map { defined $_ ? sprintf("%.1f", $_) : '' } @$p{qw(ahead within)}), "\n";
}`

function walkedOf(line: string): Walked {
  const [address, mtu, small, large, ahead, within] = line.split('\t')
  if (!address || !['answered', 'lost', 'local', 'told'].includes(large ?? '') || within === undefined)
    throw new Error(`${JSON.stringify(line)} is no line of it`)
  return {
    address,
    mtu: whole(mtu),
    small: small === '1',
    large: large as Walked['large'],
    ...(ahead && within && { ahead: Number(ahead), within: Number(within) }),
  }
}
