import type { Fact } from '../../../facts/fact.ts'
import { field, fieldsOf } from '../../../facts/fields.ts'

export interface Firewall {
  /** Of the text from which our table was loaded; undefined where there is no table of ours. */
  digest?: string
  /** The table is still as it was loaded. */
  untouched: boolean
  /** It was loaded on trial and goes unless it is confirmed. */
  onTrial: boolean
  /** Firewalls of the machine's own that are active. */
  others: ('ufw' | 'firewalld')[]
  /** Ports of sshd. */
  ssh: number[]
}

export const TABLE = 'inet llmagentos'
/** sha256 of the table as nft listed it when it was loaded. */
export const RECORD = '/run/llmagentos/firewall'
export const REVERT = 'llmagentos-firewall-revert'

// `sshd -T` fails on machines with certain Match blocks; a socket of systemd knows nothing of sshd's own port.
export const firewall: Fact<Firewall> = {
  id: 'firewall',
  deadlineMs: 10_000,
  script: `if table=$(nft -s list table ${TABLE} 2>/dev/null); then
  printf 'digest=%s\\n' "$(printf '%s\\n' "$table" | sed -n 's/^[[:space:]]*chain digest_\\([0-9a-f]*\\) {.*/\\1/p')"
  printf 'listed=%s\\n' "$(printf '%s\\n' "$table" | sha256sum)"
  printf 'recorded=%s\\n' "$(cat ${RECORD} 2>/dev/null)"
fi
printf 'trials=%s\\n' "$(systemctl list-units --plain --no-legend --state=active '${REVERT}*.timer' | wc -l)"
if grep -qs '^ENABLED=yes' /etc/ufw/ufw.conf && command -v ufw >/dev/null; then echo ufw=yes; fi
if systemctl --quiet is-active firewalld.service; then echo firewalld=yes; fi
ports=$(sshd -T 2>/dev/null | sed -n 's/^port //p')
[ -n "$ports" ] || ports=$(cat /etc/ssh/sshd_config /etc/ssh/sshd_config.d/*.conf 2>/dev/null | sed -n 's/^[[:space:]]*[Pp]ort[[:space:]]*//p')
socket=$(systemctl show --property=Listen --value ssh.socket 2>/dev/null | sed -n 's/.*:\\([0-9]*\\) (Stream).*/\\1/p')
systemctl --quiet is-active ssh.socket || socket=
printf 'ssh=%s\\n' "$(echo $ports $socket)"`,
  parse(stdout) {
    const fields = fieldsOf(stdout)
    const digest = fields.get('digest')
    const ssh = field(fields, 'ssh').split(' ').filter(Boolean).map(Number)
    return {
      ...(digest && { digest }),
      untouched: fields.get('listed') === fields.get('recorded'),
      onTrial: field(fields, 'trials') !== '0',
      others: (['ufw', 'firewalld'] as const).filter(name => fields.get(name) === 'yes'),
      ssh: ssh.length > 0 ? [...new Set(ssh)] : [22],
    }
  },
}
