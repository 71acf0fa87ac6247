import { shell } from '../../../os/now.ts'
import { type Step, step } from '../../../reconcile/step.ts'
import { RECORD, REVERT, TABLE } from './fact.ts'
import type { Rules } from './rules.ts'

/** Seconds after which rules that nobody confirmed are taken back. */
const TRIAL_S = 60

const RECORDING = `nft -s list table ${TABLE} 2>/dev/null | sha256sum >${RECORD}`

// What was there before a trial is what comes back, also where a second trial begins before the first one ended.
const TRY = `set -eu
umask 077
mkdir -p /run/llmagentos
old=${RECORD}.old; new=${RECORD}.new
cat >"$new"
nft -c -f "$new"
pending=$(systemctl list-units --plain --no-legend --state=active '${REVERT}*.timer' | wc -l)
[ "$pending" != 0 ] && [ -f "$old" ] || {
  printf 'table ${TABLE}\\ndelete table ${TABLE}\\n' >"$old.new"
  nft -s list table ${TABLE} >>"$old.new" 2>/dev/null || :
  mv -f "$old.new" "$old"
}
systemd-run --quiet --collect --unit="${REVERT}-$(tr -d - </proc/sys/kernel/random/uuid)" --on-active="$1" \\
  --timer-property=AccuracySec=100ms /bin/sh -c "nft -f $old; ${RECORDING}"
nft -f "$new"
${RECORDING}`

const CONFIRM = `set -eu
systemctl stop '${REVERT}*.timer'
while systemctl --quiet is-active '${REVERT}*.service'; do sleep 0.1; done
nft list chain ${TABLE} "digest_$1" >/dev/null 2>&1 || {
  echo 'With the new rules this machine was out of reach, or nobody came back in time: the old rules stand again.' >&2
  exit 1
}
rm -f ${RECORD}.old ${RECORD}.new`

/**
 * Loads the rules on trial, and confirms them by a command from outside: our table judges every packet of a connection that others began,
 * the established ones of SSH included, so what can still command the node can also log in to it.
 */
export function trial(node: string, rules: Rules, o: { says: string; seconds?: number }): Step[] {
  const seconds = o.seconds ?? TRIAL_S
  return [
    step({
      node,
      says: `try new firewall rules for ${seconds} s: ${o.says}`,
      risk: 'change',
      deadlineMs: 60_000,
      act: { ...shell(TRY, String(seconds)), stdin: rules.text },
    }),
    confirmation(node, rules),
  ]
}

export const confirmation = (node: string, rules: Rules): Step =>
  step({
    node,
    says: 'confirm the firewall rules: this machine can still be reached',
    risk: 'change',
    deadlineMs: 60_000,
    act: shell(CONFIRM, rules.digest),
  })
