import { FOLDERS_OF_USERS } from '../../facts/traces.ts'
import { CACHE, FENCE, FENCED, LOCK, MANIFEST, STATE } from './places.ts'

/**
 * Takes away folders that the files of the manifest left empty, and what arrived for steps; with $1 = all also everything that the node
 * remembers of the cluster, with $1 = purge before that what packages and users of ours left behind. Exits FENCED where another run than that of the number $2 may change the node, or holds the lock there.
 */
export const FORGET = String.raw`umask 077
export LC_ALL=C.UTF-8
[ -d ${STATE} ] || exec rm -rf -- ${CACHE} /run/llmagentos
exec 8>>${FENCE}.lock && flock -w 60 8 || exit 1
[ "$(cat ${FENCE} 2>/dev/null || echo 0)" -le "$2" ] || exit ${FENCED}
if [ -d ${LOCK} ] && [ "$1" != empty ]; then
  exec 9>>${LOCK}/guard && flock -w 10 9 || exit 1
  [ ! -e ${LOCK}/lease ] || exit ${FENCED}
fi

# A slice stays when its file and all that was in it are gone.
systemctl list-units --plain --no-legend --state=active 'llmagentos*.slice' | while read -r unit rest; do systemctl stop -- "$unit" || exit 1; done || exit 1
systemctl reset-failed 'llmagentos*' 2>/dev/null || :

# Also the folders above, as far as they are empty; one that a package brought stays.
empty() {
  dir=$(dirname -- "$1")
  while :; do
    case $dir in /etc/?* | /opt/?*) ;; *) return ;; esac
    if [ -d "$dir" ]; then
      [ ! -L "$dir" ] && ! dpkg-query -S "$dir" >/dev/null 2>&1 && rmdir -- "$dir" 2>/dev/null || return
    fi
    dir=$(dirname -- "$dir")
  done
}
[ ! -f ${MANIFEST} ] || awk -F '\t' '$3 == "file" && !seen[$4]++ { print $4 }' ${MANIFEST} | while IFS= read -r path; do empty "$path"; done
rm -rf -- ${CACHE}
[ ! -f ${MANIFEST} ] || awk -F '\t' '${FOLDERS_OF_USERS}' ${MANIFEST} | while IFS= read -r at; do rmdir -- "$at" 2>/dev/null || :; done
if [ "$1" = purge ] && [ -f ${MANIFEST} ]; then
  awk -F '\t' '${FOLDERS_OF_USERS}' ${MANIFEST} | while IFS= read -r at; do rm -rf --one-file-system -- "$at" || exit 1; done || exit 1
  left=$(awk -F '\t' '$3 == "package" && !seen[$4]++ { print $4 }' ${MANIFEST} | while IFS= read -r name; do
    [ "$(dpkg-query -W -f '$''{db:Status-Status}' "$name" 2>/dev/null)" != config-files ] || echo "$name"
  done)
  [ -z "$left" ] || DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 purge -- $left >&2 || exit 1
fi
[ "$1" != empty ] || exit 0
rm -rf -- ${STATE} /run/llmagentos && sync /var/lib`
