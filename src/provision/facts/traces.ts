import type { Fact } from './fact.ts'
import { linesOf } from './fields.ts'

/** Folders in which everything is ours. */
export const STATE = '/var/lib/llmagentos'
export const FOLDERS = ['/etc/llmagentos', '/opt/llmagentos', '/var/cache/llmagentos', '/run/llmagentos']

/** Awk for the manifest: folders that systemd may have made for users of ours, also for those who are gone. */
export const FOLDERS_OF_USERS =
  '$3 == "user" && $4 ~ /^[a-z_][a-z0-9_-]*$/ && !seen[$4]++ { print "/var/lib/" $4 }'

/** What is ours on a node, beside what the manifest says: folders, units that run, the table of the firewall. */
export const traces: Fact<string[]> = {
  id: 'traces',
  deadlineMs: 10_000,
  script: `for at in ${[STATE, ...FOLDERS].join(' ')} /etc/systemd/system/llmagentos*; do
  if [ -e "$at" ] || [ -L "$at" ]; then echo "$at"; fi
done
[ ! -f ${STATE}/manifest ] || awk -F '\\t' '${FOLDERS_OF_USERS}' ${STATE}/manifest | while IFS= read -r at; do
  if [ -n "$(ls -A -- "$at" 2>/dev/null)" ]; then echo "$at"; fi
done
units=$(systemctl list-units --plain --no-legend --state=active,activating,failed 'llmagentos*') || exit
printf '%s\\n' "$units" | awk 'NF { print $1 }'
if nft list table inet llmagentos >/dev/null 2>&1; then echo 'table inet llmagentos'; fi`,
  parse: linesOf,
}
