import { ALIVE } from './alive.ts'
import { SAY_FULL } from './full.ts'
import { KEEP_JOURNAL, OLDER_JOURNAL } from './journal.ts'
import { BEFORE, FENCE, FENCED, INCOMPLETE, JOURNAL, MANIFEST, STATE, STEPS, UNIT } from './places.ts'

// Of POSIX sh, coreutils, util-linux and awk, which every Debian has. Braces around a variable's name would be TypeScript's.

/**
 * Reads from standard input the program ($1 bytes), the step ($2) and the step's input ($3), each whole, before anything begins:
 * a connection that is cut, or a CLI that is stopped, in the middle of it starts nothing.
 */
export const LOAD = String.raw`umask 077
mkdir -p ${STEPS} && new=$(mktemp -d ${STEPS}/.new-XXXXXX) && cd "$new" || exit 1
head -c "$1" >program && head -c "$2" >step && head -c "$3" >input &&
[ "$(stat -c %s program step input | tr '\n' ' ')" = "$1 $2 $3 " ] ||
{ rm -rf "$new"; echo 'the step did not arrive whole' >&2; exit ${INCOMPLETE}; }
exec sh "$new/program" start "$new"`

/**
 * The program of a step: start (or follow, when it runs already), act and end. The folder's file step sets id, run, number, attempt,
 * deadline, about, leaves, takes, ours, and the act as positional parameters. start says "> LINE" for output and ends with
 * "result OUTCOME CODE MS WHY"; the last lines of the act's output go to standard error.
 */
export const STEP = String.raw`umask 077
export LC_ALL=C.UTF-8 HOME=/root DEBIAN_FRONTEND=noninteractive
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
verb=$1 folder=$2
. "$folder/step"
here=${STEPS}/$id unit=${UNIT}$id
kind=$1 path=$2

${ALIVE}
now() { cut -d' ' -f1 /proc/uptime | tr -d .; }

# What the manifest says of a line's thing (component, kind, name, perhaps a digest) now: + or - or nothing. With another digest: nothing.
kept() {
  [ ! -f ${MANIFEST} ] || LINE=$1 awk -F '\t' 'BEGIN { split(ENVIRON["LINE"], want) }
    $2 == want[2] && $3 == want[3] && $4 == want[4] { sign = $1; if (sign == "+" && want[5] != "" && $5 != want[5]) sign = "" }
    END { printf "%s", sign }' ${MANIFEST}
}

# Does any component keep the file?
held() {
  [ -f ${MANIFEST} ] && NAME=$path awk -F '\t' '$3 == "file" && $4 == ENVIRON["NAME"] { at[$2] = $1 }
    END { for (c in at) if (at[c] == "+") found = 1; exit !found }' ${MANIFEST}
}

# $1: the sign, $2: lines; those that it says already are left out.
manifest() {
  if [ -z "$2" ]; then return 0; fi
  printf '%s\n' "$2" | { [ "$1" = + ] && cat || cut -f 1-3; } | while IFS= read -r line; do
    if [ "$(kept "	$line")" = + ]; then [ "$1" = - ] || continue; else [ "$1" = + ] || continue; fi
    printf '%s\t%s\n' "$1" "$line" >>${MANIFEST} || exit 1
  done && sync ${MANIFEST}
}

${KEEP_JOURNAL}

# The file that stands at the path before our first write there.
keep_before() {
  before=${BEFORE}$path
  if [ "$kind" = remove ] || [ -z "$ours" ] || held; then return 0; fi
  rm -f "$before" || return 1
  if [ -d "$path" ] && [ ! -L "$path" ]; then return 0; fi
  if [ ! -e "$path" ] && [ ! -L "$path" ]; then return 0; fi
  mkdir -p "$(dirname "$before")" && rm -f "$before.new" && cp -a -- "$path" "$before.new" &&
  { [ -L "$before.new" ] || sync "$before.new"; } && mv -fT "$before.new" "$before" && sync "$(dirname "$before")"
}

# A power failure or a full disk may have left half a line: the next one must not become part of it.
whole() { [ -z "$(tail -c 1 "$1")" ] || echo >>"$1"; }

start() {
  new=$folder
  ${SAY_FULL}
  mkdir -p ${STATE} && exec 9>>${FENCE}.lock && flock -w 60 9 || { rm -rf "$new"; exit 1; }
  fence=$(cat ${FENCE} 2>/dev/null || echo 0)
  if [ "$number" -lt "$fence" ]; then rm -rf "$new"; echo "$fence"; exit ${FENCED}; fi
  if [ "$number" -gt "$fence" ]; then
    { echo "$number" >${FENCE}.new && sync ${FENCE}.new && mv -fT ${FENCE}.new ${FENCE} && sync ${STATE}; } || { rm -rf "$new"; exit 1; }
  fi
  for old in ${STEPS}/*/; do
    if [ "$old" != "$here/" ] && [ -f "$old/status" ]; then rm -rf "$old"; fi
  done
  find ${STEPS} -maxdepth 1 -name '.new-*' -mmin +60 -exec rm -rf {} +
  if [ -d "$here" ] && ! alive "$id"; then
    # Ours has ended, or never began. What another run left is over.
    [ "$(cat "$here/run")" = "$run" ] && { [ -f "$here/status" ] || [ -f "$here/began" ]; } || rm -rf "$here"
  fi
  if [ -d "$here" ]; then rm -rf "$new"; exec 9>&-; follow; exit; fi
  # After a cut: the machine may have been restarted meanwhile, and forgotten what it ran.
  if [ "$attempt" -gt 1 ]; then
    last=$(cat ${OLDER_JOURNAL} ${JOURNAL} 2>/dev/null | grep -F "\"run\":\"$run\"" | grep -F "\"id\":\"$id\"" | tail -n 1)
    case $last in
      '') ;;
      *'"outcome":"done"'*) rm -rf "$new"; echo 'result done 0 0'; exit 0 ;;
      *'"outcome":"failed"'*) rm -rf "$new"; why=$(printf %s "$last" | sed -n 's/.*"why":"\([^"]*\)".*/\1/p'); echo "result failed 1 0 $why"; exit 0 ;;
      *)
        rm -rf "$new"; journal '"outcome":"failed","why":"restarted"'
        echo 'result failed 1 0 restarted'; exit 0 ;;
    esac
  fi
  rotate || { rm -rf "$new"; exit 1; }
  [ -f ${MANIFEST} ] && [ -f ${JOURNAL} ] || { : >>${MANIFEST} && : >>${JOURNAL} && sync ${STATE}; } || { rm -rf "$new"; exit 1; }
  whole ${MANIFEST} && whole ${JOURNAL} || { rm -rf "$new"; exit 1; }
  echo "$run" >"$new/run" && mv -T "$new" "$here" || { rm -rf "$new"; exit 1; }
  keep_before && manifest + "$leaves" && journal '"outcome":"begun"' || { rm -rf "$here"; exit 1; }
  now >"$here/since"
  systemd-run --quiet --collect --unit="$unit" --service-type=exec --description='one step of llmagentos' \
    -p RuntimeMaxSec="$deadline" -p TimeoutStopSec=10 -p KillMode=control-group -p WorkingDirectory=/ \
    -p StandardInput=null -p StandardOutput=null -p StandardError=null \
    -p ExecStopPost="/bin/sh $here/program end $here" /bin/sh "$here/program" act "$here" 9>&- </dev/null ||
  { journal '"outcome":"failed","why":"not started"'; rm -rf "$here"; exit 1; }
  exec 9>&-
  follow
}

follow() {
  said=
  until [ -f "$here/status" ]; do
    if flock -s -w 1 "$here/alive" true && [ ! -f "$here/status" ]; then
      alive "$id" || [ -f "$here/status" ] || { sleep 0.2; [ -f "$here/status" ] || { echo 'result failed 1 0 vanished'; return; }; }
      sleep 0.05
    fi
    line=$(tail -n 1 "$here/output" 2>/dev/null | tail -c 300)
    [ -z "$line" ] || [ "$line" = "$said" ] || printf '> %s\n' "$line"
    said=$line
  done
  tries=0
  while alive "$id" && [ $tries -lt 300 ]; do sleep 0.05; tries=$((tries + 1)); done
  if [ -s "$here/errors" ]; then tail -c 8192 "$here/errors" >&2; else tail -c 8192 "$here/output" >&2; fi
  echo "result $(cat "$here/status")"
}

act() {
  exec >"$here/output" 2>"$here/errors" 8>"$here/alive"
  flock 8
  : >"$here/began"
  umask 022
  cd /
  case $kind in
    run) shift; env -- "$@" <"$here/input" 8>&-; exit $? ;;
    wait)
      shift
      # Each answer whole: the last one tells why the wait was in vain.
      until env -- "$@" <"$here/input" >"$here/output.now" 2>"$here/errors.now" 8>&-; do
        mv -fT "$here/output.now" "$here/output" && mv -fT "$here/errors.now" "$here/errors" || exit 1
        sleep 0.5
      done ;;
    write) write "$3" "$4" ;;
    remove) remove ;;
    place) place "$3" "$4" "$5" ;;
    *) echo "unknown act $kind" >&2; exit 1 ;;
  esac
}

temp() { printf '%s/.%.200s.llmagentos' "$dir" "$base"; }

# Seen are the old bytes or the new ones, also after a power failure.
write() {
  dir=$(dirname "$path") base=$(basename "$path") temp=$(temp)
  mkdir -p "$dir" && rm -f "$temp" || exit 1
  (umask 077; set -C; cat <"$here/input" >"$temp") && chown -- "$2" "$temp" && chmod "$1" "$temp" &&
  sync "$temp" && mv -fT "$temp" "$path" && sync "$dir" || { rm -f "$temp"; exit 1; }
}

remove() {
  dir=$(dirname "$path") base=$(basename "$path") temp=$(temp) before=${BEFORE}$path
  if [ -d "$path" ] && [ ! -L "$path" ]; then echo "$path is a folder" >&2; exit 1; fi
  if [ -n "$ours" ] && { [ -e "$before" ] || [ -L "$before" ]; }; then
    mkdir -p "$dir" && rm -f "$temp" && cp -a -- "$before" "$temp" && { [ -L "$temp" ] || sync "$temp"; } &&
    mv -fT "$temp" "$path" && sync "$dir" || exit 1
  elif [ -d "$dir" ]; then
    rm -f -- "$path" && sync "$dir" || exit 1
  fi
  for old in "$path".*; do if placed "$old"; then rm -rf -- "$old" || exit 1; fi; done
}

# One of the folders that place puts beside a path.
placed() { [ -d "$1" ] && [ ! -L "$1" ] && basename "$1" | grep -qxE '.*\.(new-)?[0-9a-f]{16}'; }

# $1: the archive, $2: its sha256, $3: the digits that name its folder.
place() {
  dir=$(dirname "$path") base=$(basename "$path") temp=$(temp) folder=$path.$3 unpacked=$path.new-$3
  if [ -e "$path" ] && [ ! -L "$path" ]; then echo "$path is there, and is no link of ours" >&2; exit 1; fi
  mkdir -p "$dir" || exit 1
  if [ ! -d "$folder" ]; then
    sum=$(sha256sum <"$1") || exit 1
    case $sum in
      "$2 "*) ;;
      *) rm -f "$1"; echo "the sha256 of what arrived is $(echo "$sum" | cut -c 1-64) and not $2" >&2; exit 1 ;;
    esac
    rm -rf "$unpacked" && mkdir "$unpacked" && tar -x --no-same-owner -f "$1" -C "$unpacked" &&
    sync -f "$unpacked" && mv -T "$unpacked" "$folder" || { rm -rf "$unpacked"; exit 1; }
  fi
  last=$(readlink "$path")
  ln -sfn "$base.$3" "$temp" && mv -fT "$temp" "$path" && sync "$dir" || exit 1
  # The one before stays: what runs from it may still load files.
  for old in "$path".*; do
    if placed "$old" && [ "$old" != "$folder" ] && [ "$(basename "$old")" != "$last" ]; then rm -rf -- "$old"; fi
  done
  rm -f "$1"
}

# Called by systemd however the act ended, with SERVICE_RESULT, EXIT_CODE and EXIT_STATUS.
end() {
  rm -f "$here/input"
  ms=$((($(now) - $(cat "$here/since")) * 10))
  case $SERVICE_RESULT/$EXIT_CODE/$EXIT_STATUS in
    success/exited/0) outcome=done code=0 why= ;;
    timeout/*) outcome=failed code=124 why=deadline ;;
    oom-kill/*) outcome=failed code=137 why='out of memory' ;;
    */exited/*) outcome=failed code=$EXIT_STATUS why=exit ;;
    *) outcome=failed code=128 why="signal $EXIT_STATUS" ;;
  esac
  if [ $outcome = done ] && ! manifest - "$takes"; then outcome=failed code=1 why='manifest not written'; fi
  if [ $outcome = done ] && [ "$kind" = remove ] && [ -n "$ours" ]; then
    rm -f "${BEFORE}$path" && rmdir -p --ignore-fail-on-non-empty "$(dirname "${BEFORE}$path")" 2>/dev/null
  fi
  said="\"outcome\":\"$outcome\",\"code\":$code,\"ms\":$ms"
  [ -z "$why" ] || said="$said,\"why\":\"$why\""
  journal "$said"
  echo "$outcome $code $ms $why" >"$here/status.new" && mv -T "$here/status.new" "$here/status"
}

$verb "$@"
`
