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

/** Shell that describes the units in the words of `list`, in their order. Ends the script where systemd does not answer. */
export const askUnits = (
  list: string,
) => `show=$(systemctl show --property=LoadState,ActiveState,UnitFileState,MainPID,NeedDaemonReload -- ${list}) || exit
printf '%s\\n' "$show" | awk 'BEGIN { RS = ""; FS = "\\n" } { line = "unit"; for (i = 1; i <= NF; i++) line = line "\\t" $i; print line }'
for pid in $(printf '%s\\n' "$show" | sed -n 's/^MainPID=\\([1-9]\\)/\\1/p'); do
  tr '\\0' '\\n' 2>/dev/null </proc/$pid/environ | sed -n "s/^LLMAGENTOS_INPUTS=/inputs	$pid	/p"
done
for file in ${INPUTS}/*; do
  [ ! -f "$file" ] || printf 'started\\t%s\\t%s\\n' "\${file##*/}" "$(cat "$file")"
done`

/** The answer to `askUnits` for these names, from its lines split at tabs. Throws where it is not about all of them. */
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
