import type { Fact } from '../../../facts/fact.ts'
import { field, fieldsOf } from '../../../facts/fields.ts'
import { MAY_RUN } from '../../../facts/units.ts'

export interface Firewall {
  /** Of the text from which our table was loaded; undefined where there is no table of ours. */
  digest?: string
  /** The table is still as it was loaded. */
  untouched: boolean
  /** It was loaded on trial and goes unless it is confirmed. */
  onTrial: boolean
  /** Firewalls of the machine's own that are active. */
  others: ('ufw' | 'firewalld')[]
}

export const TABLE = 'inet llmagentos'
/** sha256 of the table as nft listed it when it was loaded. */
export const RECORD = '/run/llmagentos/firewall'
export const REVERT = 'llmagentos-firewall-revert'

export const firewall: Fact<Firewall> = {
  id: 'firewall',
  deadlineMs: 10_000,
  script: `${MAY_RUN}
if table=$(nft -s list table ${TABLE} 2>/dev/null); then
  digest=
  case $table in *'chain digest_'*) digest=\${table#*chain digest_} digest=\${digest%%[!0-9a-f]*} ;; esac
  recorded=
  [ ! -r ${RECORD} ] || IFS= read -r recorded <${RECORD}
  printf 'digest=%s\\nlisted=%s\\nrecorded=%s\\n' "$digest" "$(printf '%s\\n' "$table" | sha256sum)" "$recorded"
fi
active=
set -- '${REVERT}*.timer' firewalld.service
if may_run "$@"; then active=$(systemctl list-units --plain --no-legend --state=active "$@") || exit; fi
trials=0
while read -r unit _; do
  case $unit in
  firewalld.service) echo firewalld=yes ;;
  ?*) trials=$((trials + 1)) ;;
  esac
done <<END
$active
END
echo "trials=$trials"
[ ! -e /etc/ufw/ufw.conf ] || ! grep -q '^ENABLED=yes' /etc/ufw/ufw.conf || ! command -v ufw >/dev/null || echo ufw=yes`,
  parse(stdout) {
    const fields = fieldsOf(stdout)
    const digest = fields.get('digest')
    return {
      ...(digest && { digest }),
      untouched: fields.get('listed') === fields.get('recorded'),
      onTrial: field(fields, 'trials') !== '0',
      others: (['ufw', 'firewalld'] as const).filter(name => fields.get(name) === 'yes'),
    }
  },
}
