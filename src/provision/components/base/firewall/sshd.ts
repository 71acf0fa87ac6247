import type { Fact } from '../../../facts/fact.ts'
import { field, fieldsOf } from '../../../facts/fields.ts'

/** Ports of sshd. Only where all but the known is dropped does anybody have to know them. */
// `sshd -T` fails on machines with certain Match blocks; a socket of systemd knows nothing of sshd's own port.
export const sshPorts: Fact<number[]> = {
  id: 'ports of sshd',
  deadlineMs: 10_000,
  script: `ports=$(sshd -T 2>/dev/null | sed -n 's/^port //p')
[ -n "$ports" ] || ports=$(cat /etc/ssh/sshd_config /etc/ssh/sshd_config.d/*.conf 2>/dev/null | sed -n 's/^[[:space:]]*[Pp]ort[[:space:]]*//p')
socket=
if systemctl --quiet is-active ssh.socket; then
  socket=$(systemctl show --property=Listen --value ssh.socket | sed -n 's/.*:\\([0-9]*\\) (Stream).*/\\1/p')
fi
printf 'ssh=%s\\n' "$(echo $ports $socket)"`,
  parse(stdout) {
    const ports = field(fieldsOf(stdout), 'ssh').split(' ').filter(Boolean).map(Number)
    return ports.length > 0 ? [...new Set(ports)] : [22]
  },
}
