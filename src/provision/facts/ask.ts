/** Reads its program from standard input, and behind that what it is to ask. */
export const PROGRAM: [string, ...string[]] = ['perl', '-']

/**
 * Perl that asks: behind `__END__` stand a word that frames the answers, then the deadline in seconds and the script of each fact, with a
 * NUL behind each. One shell runs many scripts in turn, each in a subshell, and writes a line into a pipe after each. Where that line
 * does not come in time, the shell's process group is ended, and another shell takes those that are left.
 */
export const ASK = String.raw`($|, $/) = (1, "\0");
chomp(my ($word, @facts) = <DATA>);
$ENV{LC_ALL} = "C.UTF-8";
chdir "/";
my $next = 0;
$next = some($next) while $next < @facts;
print "$word whole\n";

sub some {
  my ($at) = @_;
  local $^F = 9;
  pipe my $marks, my $mark or die "pipe: $!\n";
  my ($text, $end) = program($at, fileno $mark);
  defined(my $shell = fork) or die "fork: $!\n";
  unless ($shell) {
    setpgrp;
    close $marks;
    exec "sh", "-c", $text;
    die "sh: $!\n";
  }
  close $mark;
  while ($at < $end) {
    vec(my $set = "", fileno $marks, 1) = 1;
    my $ready = select $set, undef, undef, $facts[$at];
    my $ended = $ready && sysread $marks, my $lines, 4096;
    if ($ended) { $at += 2 * $ended; next }
    my $status = stop($shell);
    my $code = $ready ? $status >> 8 || 128 + ($status & 127) : 124;
    print "\n$word end ", $at / 2, " $code\n";
    return $at + 2;
  }
  waitpid $shell, 0;
  return $end;
}

# Linux takes no argument of more than 128 KiB.
sub program {
  my ($at, $mark) = @_;
  my $text = "";
  for (; $at < @facts; $at += 2) {
    my $i = $at / 2;
    (my $script = $facts[$at + 1]) =~ s/'/'\\''/g;
    my $more = "printf '$word begin $i\\n'; printf '$word begin $i\\n' >&2
(eval '$script') </dev/null $mark>&-
printf '\\n$word end $i %s\\n' \$?; echo >&$mark\n";
    last if $text ne "" && length("$text$more") > 100_000;
    $text .= $more;
  }
  return ($text, $at);
}

# Nothing ends what hangs in the kernel: that is left behind after two seconds.
sub stop {
  my ($shell) = @_;
  my $status = 0;
  for my $signal ("TERM", "KILL") {
    kill $signal, -$shell;
    for (1 .. 50) {
      $status = $? if waitpid($shell, 1) > 0;
      return $status unless kill 0, -$shell;
      select undef, undef, undef, 0.02;
    }
  }
  return $status;
}
`
