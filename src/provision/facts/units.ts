export interface UnitState {
  /** As systemd says: `loaded`, `not-found`, `masked`. */
  load: string
  /** `active`, `inactive`, `failed`, `activating` ... */
  active: string
  /** `enabled`, `disabled`, `static`, `masked` ...; empty for what is not there. */
  enabled: string
  /** Its files changed after systemd read them. */
  stale: boolean
  /** What it was started from, as it tells itself; undefined where it does not. */
  inputs?: string
}

/** Where units without a main process note what they were started from; gone after a reboot, as what they did. */
export const INPUTS = '/run/llmagentos/inputs'

/**
 * Shell: `may_run UNIT...` is whether one of these (or such as a pattern means) has a file, so that it may be active. To ask systemd costs
 * more than most facts do as a whole. Ends the script where there is no systemd.
 */
export const MAY_RUN = `[ -d /run/systemd/system ] || { echo 'there is no systemd' >&2; exit 1; }
may_run() {
  for folder in /etc/systemd/system /run/systemd/system /run/systemd/transient /run/systemd/generator /run/systemd/generator.early \\
    /run/systemd/generator.late /usr/local/lib/systemd/system /usr/lib/systemd/system /lib/systemd/system; do
    for unit; do
      for file in $folder/$unit; do [ ! -e "$file" ] || return 0; done
    done
  done
  return 1
}`

/** Perl that describes `@units` in their order; `said` gives what a program says, and ends all where it fails. */
export const ASK_UNITS = String.raw`my $properties = "LoadState,ActiveState,UnitFileState,MainPID,NeedDaemonReload";
for (split /\n\n+/, said("systemctl", "show", "--property=$properties", "--", @units)) {
  s/\n+\z//;
  tr/\n/\t/;
  print "unit\t$_\n";
  my ($pid) = /\bMainPID=([1-9]\d*)/ or next;
  open my $environment, "<", "/proc/$pid/environ" or next;
  local $/ = "\0";
  while (<$environment>) { chomp; print "inputs\t$pid\t$1\n" if /^LLMAGENTOS_INPUTS=(.*)/; }
}
if (opendir my $folder, "${INPUTS}") {
  for my $name (sort grep !/^\./ && -f "${INPUTS}/$_", readdir $folder) {
    open my $file, "<", "${INPUTS}/$name" or next;
    chomp(my $inputs = <$file> // "");
    print "started\t$name\t$inputs\n";
  }
}`

/** The answer to `ASK_UNITS` for these names, from its lines split at tabs. Throws where it is not about all of them. */
export function unitStates(names: string[], rows: string[][]): Map<string, UnitState> {
  const told = rows.filter(row => row[0] === 'unit')
  if (told.length !== names.length) throw new Error(`systemd told of ${told.length} of ${names.length} units`)
  const second = (kind: string) => new Map(rows.filter(r => r[0] === kind).map(r => [r[1]!, r[2]!]))
  const [ofProcess, ofName] = [second('inputs'), second('started')]
  return new Map(
    names.map((name, i) => {
      const fields = new Map(told[i]!.slice(1).map(pair => pair.split(/=(.*)/s) as [string, string]))
      const pid = fields.get('MainPID') ?? '0'
      const inputs = pid === '0' ? ofName.get(name) : ofProcess.get(pid)
      return [
        name,
        {
          load: fields.get('LoadState') ?? '',
          active: fields.get('ActiveState') ?? '',
          enabled: fields.get('UnitFileState') ?? '',
          stale: fields.get('NeedDaemonReload') === 'yes',
          ...(inputs && { inputs }),
        },
      ]
    }),
  )
}
