import { quote } from '../connections/quote.ts'
import type { Fact } from './fact.ts'
import { field, fieldsOf } from './fields.ts'
import { MACHINE } from './machine.ts'
import { MAY_RUN } from './units.ts'

export interface Time {
  /** What keeps the clock: `chrony`, `systemd-timesyncd`, `ntp`, `ntpsec`, `openntpd`; undefined where nothing of this machine does. */
  service?: string
  /** Undefined where nobody can tell. */
  synchronised?: boolean
  /** False in a container, whose clock is its host's. */
  canSet: boolean
}

const CAP_SYS_TIME = 25n

// As timedatectl judges the kernel's word: adjtimex changes nothing here, and tells a largest error below 16 s. The service behind
// timedatectl would have to be started first.
const ADJTIMEX = `${MACHINE}
my $number = {x86_64 => 159, aarch64 => 171}->{machine()} // exit 1;
my $word = "\\0" x 256;
print syscall($number, $word) >= 0 && unpack("x24 q", $word) < 16_000_000 ? "yes" : "no";`

// Each service tells in its own way; without one the kernel's word counts, as on a guest whose host keeps the clock.
export const time: Fact<Time> = {
  id: 'time',
  deadlineMs: 10_000,
  script: `${MAY_RUN}
while read -r key value; do
  [ "$key" != CapEff: ] || { printf 'capabilities=%s\\n' "$value"; break; }
done </proc/1/status
set -- chrony.service systemd-timesyncd.service ntp.service ntpsec.service openntpd.service
service=
if may_run "$@"; then service=$(systemctl list-units --plain --no-legend --state=active "$@") || exit; fi
service=\${service%%.service*}
printf 'service=%s\\n' "$service"
case $service in
chrony) said=$(timeout 3 chronyc -n -c tracking) && case $said in *Normal | *second) echo synchronised=yes ;; *) echo synchronised=no ;; esac ;;
systemd-timesyncd) [ -e /run/systemd/timesync/synchronized ] && echo synchronised=yes || echo synchronised=no ;;
ntp | ntpsec) said=$(timeout 3 ntpq -c 'rv 0') && case $said in *leap_none* | *leap_add_sec* | *leap_del_sec*) echo synchronised=yes ;; *) echo synchronised=no ;; esac ;;
openntpd) said=$(timeout 3 ntpctl -s status) && case $said in *'clock synced'*) echo synchronised=yes ;; *) echo synchronised=no ;; esac ;;
*) printf 'synchronised=%s\\n' "$(perl -e ${quote([ADJTIMEX])} || timeout 3 timedatectl show --property=NTPSynchronized --value)" ;;
esac
exit 0`,
  parse(stdout) {
    const fields = fieldsOf(stdout)
    const service = field(fields, 'service')
    const synchronised = fields.get('synchronised')
    const capabilities = BigInt(`0x${field(fields, 'capabilities')}`)
    return {
      ...(service && { service }),
      ...(synchronised && { synchronised: synchronised === 'yes' }),
      canSet: (capabilities & (1n << CAP_SYS_TIME)) !== 0n,
    }
  },
}
