import { ALIVE } from './alive.ts'
import { SAY_FULL } from './full.ts'
import { FENCE, FENCED, STATE, STEPS } from './places.ts'

// A step has its folder before it begins, and until it has ended.
const RUNNING = `${ALIVE}
running() {
  for at in ${STEPS}/*/; do
    if [ -d "$at" ] && id=$(basename "$at") && alive "$id"; then echo "$id"; fi
  done
}`

/** Says the ids of the steps that run here. */
export const READ_RUNNING = `${RUNNING}
running`

/**
 * Writes the number $1, after which no step of a lower one starts here; then waits until the steps that run have ended, at most $2
 * seconds. Says "waiting SENTENCE" for each of them; exits 3 when some still run, and FENCED, with the number, when there is a higher one.
 */
export const RAISE_FENCE = String.raw`umask 077
export LC_ALL=C.UTF-8
${SAY_FULL}
mkdir -p ${STATE} && exec 9>>${FENCE}.lock && flock -w 60 9 || exit 1
fence=$(cat ${FENCE} 2>/dev/null || echo 0)
if [ "$1" -lt "$fence" ]; then echo "$fence"; exit ${FENCED}; fi
if [ "$1" -gt "$fence" ]; then
  echo "$1" >${FENCE}.new && sync ${FENCE}.new && mv -fT ${FENCE}.new ${FENCE} && sync ${STATE} || exit 1
fi
exec 9>&-

${RUNNING}
seconds() { cut -d. -f1 /proc/uptime; }
end=$(($(seconds) + $2)) said=
while ids=$(running) && [ -n "$ids" ]; do
  if [ "$ids" != "$said" ]; then
    for id in $ids; do (says=$id; [ ! -f ${STEPS}/$id/step ] || . ${STEPS}/$id/step; printf 'waiting %s\n' "$says"); done
  fi
  said=$ids
  [ "$(seconds)" -lt "$end" ] || exit 3
  # The act holds it as long as it runs.
  for id in $ids; do [ ! -e ${STEPS}/$id/alive ] || flock -s -w 1 ${STEPS}/$id/alive true; break; done
  sleep 0.1
done
rm -rf ${STEPS}/*/`

/** Says the number that is known here, 0 where none is. */
export const READ_FENCE = `cat ${FENCE} 2>/dev/null || echo 0`

/** Removes what ended steps left in /run. */
export const SWEEP = `cd ${STEPS} 2>/dev/null || exit 0
for at in */; do if [ -f "$at/status" ]; then rm -rf "$at"; fi; done`
