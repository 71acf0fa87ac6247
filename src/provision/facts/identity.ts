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
  script: `read -r name </proc/sys/kernel/hostname || exit
id=
[ ! -r /etc/machine-id ] || read -r id </etc/machine-id
printf 'hostname=%s\\nmachine-id=%s\\n' "$name" "$id"
for file in /etc/ssh/ssh_host_*_key.pub; do
  [ ! -r "$file" ] || while read -r type key comment || [ -n "$type" ]; do printf '%s %s\\n' "$type" "$key"; done <"$file"
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
