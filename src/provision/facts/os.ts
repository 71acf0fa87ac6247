import type { Fact } from './fact.ts'
import { field, fieldsOf } from './fields.ts'

export interface Os {
  /** As /etc/os-release says: `debian`, `13`, `trixie`, `Debian GNU/Linux 13 (trixie)`; empty where it says nothing. */
  id: string
  version: string
  codename: string
  says: string
  /** Debian's word: `amd64`, `arm64`; without dpkg the kernel's. */
  architecture: string
  kernel: string
  /** Process 1, as its name: `systemd`. */
  init: string
  /** What `systemctl is-system-running` says; `offline` where systemd is not process 1. */
  state: string
  failedUnits: string[]
}

// A unit that failed makes it `degraded`: one that is `running` has none.
export const os: Fact<Os> = {
  id: 'os',
  deadlineMs: 10_000,
  script: `[ ! -r /etc/os-release ] || . /etc/os-release
printf 'id=%s\\nversion=%s\\ncodename=%s\\nsays=%s\\n' "$ID" "$VERSION_ID" "$VERSION_CODENAME" "$PRETTY_NAME"
printf 'architecture=%s\\n' "$(dpkg --print-architecture 2>/dev/null || uname -m)"
read -r kernel </proc/sys/kernel/osrelease && read -r init </proc/1/comm || exit
printf 'kernel=%s\\ninit=%s\\n' "$kernel" "$init"
[ -d /run/systemd/system ] || { echo state=offline; exit 0; }
state=$(systemctl is-system-running)
printf 'state=%s\\n' "$state"
[ "$state" = running ] ||
  printf 'failed=%s\\n' "$(systemctl list-units --failed --plain --no-legend | cut -d' ' -f1 | tr '\\n' ' ')"`,
  parse(stdout) {
    const fields = fieldsOf(stdout)
    const state = field(fields, 'state')
    if (!state) throw new Error('systemd does not say how it is')
    return {
      id: field(fields, 'id'),
      version: field(fields, 'version'),
      codename: field(fields, 'codename'),
      says: field(fields, 'says'),
      architecture: field(fields, 'architecture'),
      kernel: field(fields, 'kernel'),
      init: field(fields, 'init'),
      state,
      failedUnits: (fields.get('failed') ?? '').split(' ').filter(Boolean),
    }
  },
}
