import type { Fact } from './fact.ts'
import { field, fieldsOf } from './fields.ts'

export interface Reboot {
  /** Packages that asked for one; empty where nobody did. */
  wantedBy: string[]
  /** A packaged kernel that is newer than the one that runs. */
  newerKernel?: string
}

/** Whether the node waits for a reboot. Containers have no kernel in /boot, and wait for none. */
export const reboot: Fact<Reboot> = {
  id: 'reboot',
  deadlineMs: 5_000,
  script: `if [ -e /run/reboot-required ]; then
  printf 'wanted=%s\\n' "$(sort -u /run/reboot-required.pkgs 2>/dev/null | tr '\\n' ' ')unnamed"
else echo wanted=; fi
read -r running </proc/sys/kernel/osrelease || exit
[ ! -e "/boot/vmlinuz-$running" ] || printf 'newest=%s\\n' "$(
  for file in /boot/vmlinuz-*; do printf '%s\\n' "\${file#/boot/vmlinuz-}"; done | sort -V | tail -n 1)"
printf 'running=%s\\n' "$running"`,
  parse(stdout) {
    const fields = fieldsOf(stdout)
    const wanted = field(fields, 'wanted').split(' ').filter(Boolean)
    const newest = fields.get('newest')
    return {
      wantedBy: wanted.length > 1 ? wanted.filter(name => name !== 'unnamed') : wanted,
      ...(newest && newest !== field(fields, 'running') && { newerKernel: newest }),
    }
  },
}
