import type { Fact } from './fact.ts'
import { field, fieldsOf } from './fields.ts'

export interface Identity {
  hostname: string
  /** Empty where /etc/machine-id is missing or empty. */
  machineId: string
  /** Public host keys of sshd, `ssh-ed25519 AAAA...`, without their comments. */
  hostKeys: string[]
}

/** By what this machine differs from a copy of it. */
export const identity: Fact<Identity> = {
  id: 'identity',
  deadlineMs: 5_000,
  script: `printf 'hostname=%s\\n' "$(uname -n)"
printf 'machine-id=%s\\n' "$(cat /etc/machine-id 2>/dev/null)"
for file in /etc/ssh/ssh_host_*_key.pub; do
  [ ! -r "$file" ] || cut -d' ' -f1,2 "$file"
done`,
  parse(stdout) {
    const fields = fieldsOf(stdout)
    return {
      hostname: field(fields, 'hostname'),
      machineId: field(fields, 'machine-id').replace('uninitialized', ''),
      hostKeys: stdout.split('\n').filter(line => /^[a-z0-9@.-]+ AAAA\S+$/.test(line)),
    }
  },
}
