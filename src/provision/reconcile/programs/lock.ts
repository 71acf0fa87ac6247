import { SAY_FULL } from './full.ts'
import { FENCE, LOCK } from './places.ts'

/** Seconds of the node's boot clock after which a lease that was not renewed is free. */
export const LEASE_SECONDS = 50

/**
 * $1 is what to do with this control node's lease. take ID WHO DOING; renew ID; number ID N; release ID; show; force. Says "ours", then
 * for take the highest number known here; "theirs", then who, since when and what for, where another one holds it; or "free".
 */
export const LEASE = String.raw`umask 077
export LC_ALL=C.UTF-8
${SAY_FULL}
verb=$1 mine=$2 lease=${LOCK}/lease
boot=$(cat /proc/sys/kernel/random/boot_id) now=$(cut -d. -f1 /proc/uptime)

# Of another boot, or not renewed for long, it is nobody's.
load() {
  id= who= since= doing= renewed=0 of=
  [ -f $lease ] || return 1
  { IFS= read -r id; IFS= read -r who; IFS= read -r since; IFS= read -r doing; IFS= read -r of; IFS= read -r renewed; } <$lease
  [ "$of" = "$boot" ] && [ "$now" -ge "$renewed" ] && [ $((now - renewed)) -le ${LEASE_SECONDS} ]
}
put() { printf '%s\n' "$mine" "$who" "$since" "$doing" "$boot" "$now" >$lease.new && mv -fT $lease.new $lease; }
theirs() { printf '%s\n' theirs "$who" "$since" "$doing"; exit 0; }

if [ "$verb" = show ]; then
  if load; then theirs; fi
  echo free
  exit 0
fi
mkdir -p ${LOCK} && exec 9>>${LOCK}/guard && flock -w 10 9 || exit 1
case $verb in
  take)
    if load && [ "$id" != "$mine" ]; then theirs; fi
    who=$3 doing=$4 since=$(date -u +%Y-%m-%dT%H:%M:%SZ)
    put || exit 1
    echo ours
    cat ${LOCK}/number ${FENCE} 2>/dev/null | sort -n | tail -n 1 ;;
  renew)
    if load || [ "$id" = "$mine" ]; then
      if [ "$id" != "$mine" ]; then theirs; fi
      put && echo ours || exit 1
    else echo free; fi ;;
  number)
    if load && [ "$id" = "$mine" ]; then
      echo "$3" >${LOCK}/number.new && sync ${LOCK}/number.new && mv -fT ${LOCK}/number.new ${LOCK}/number && sync ${LOCK} && echo ours || exit 1
    elif [ -n "$id" ] && [ "$id" != "$mine" ]; then theirs
    else echo free; fi ;;
  release)
    load
    if [ "$id" = "$mine" ]; then rm -f $lease; fi
    echo free ;;
  force)
    if load; then rm -f $lease; theirs; fi
    rm -f $lease
    echo free ;;
esac`
