import { shell } from './now.ts'

/** Seconds for which another holder of apt's and dpkg's locks is waited for. */
const LOCK_WAIT = 300

/** Written by component base where the site has a proxy or a mirror: what our calls of apt read, and nobody else's. */
export const APT_ENV = '/etc/llmagentos/apt.env'
export const APT_CONF = '/etc/llmagentos/apt.conf'
/** Sources of our calls, where the site has a mirror. */
export const APT_SOURCES = '/etc/llmagentos/apt-sources'

/** Exit code of a step that gave up on the locks. */
export const APT_LOCKED = 75

// Messages are read below, so their language is fixed. The locks of the index and of the archive have no wait of their own in apt: all
// are waited for here alike.
const BEGIN = `set -eu
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive DEBIAN_PRIORITY=critical NEEDRESTART_SUSPEND=1 APT_LISTCHANGES_FRONTEND=none
[ ! -e ${APT_ENV} ] || . ${APT_ENV}
wait=$1; shift
now() { cut -d. -f1 /proc/uptime; }
end=$(($(now) + wait))
said=$(mktemp -p /run llmagentos-apt.XXXXXX)
trap 'rm -f -- "$said"' EXIT
get="apt-get -q -y -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confold -o Acquire::Retries=2 -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30"
patiently() {
  while :; do
    code=0; "$@" 2>"$said" || code=$?
    if [ $code = 0 ]; then cat "$said" >&2; return 0; fi
    if ! grep -qE 'Could not get lock|Unable to (acquire|lock)|lock was locked|is locked by another' "$said"; then
      cat "$said" >&2; return $code
    fi
    if [ "$(now)" -ge "$end" ]; then
      echo "apt is in use on this machine, and was for the $wait s that it was waited for:" >&2
      grep -i lock "$said" >&2
      exit ${APT_LOCKED}
    fi
    sleep 1
  done
}`

// A package must not start its service before it is configured. policy-rc.d is what Debian asks; ours is seen by this call alone, because
// it is mounted in a namespace that ends with it, over an empty file that means nothing. What runs may restart, and timers may start.
const QUIETLY = `policy=/usr/sbin/policy-rc.d; ours=/var/lib/llmagentos/policy-rc.d
mkdir -p -m 0700 /var/lib/llmagentos
cat >"$ours.new" <<'END'
#!/bin/sh
[ "$1" != --quiet ] || shift
case $1 in *.timer) exit 0 ;; esac
case $2 in *start*) systemctl --quiet is-active -- "$1" || exit 101 ;; esac
END
chmod 0755 "$ours.new"; mv -f "$ours.new" "$ours"
trap 'rm -f -- "$said"; [ -s "$policy" ] || rm -f -- "$policy"' EXIT
[ -e "$policy" ] || (umask 022; : >"$policy")
quietly() { unshare --mount sh -c 'mount --bind "$0" "$1" && shift && exec "$@"' "$ours" "$policy" "$@"; }`

// What is not ours and was interrupted starts as its packages want.
const REPAIR = `broken() {
  dpkg-query -W -f '\${db:Status-Status} \${db:Status-Eflag} \${Package}\\n' |
    awk '($1 != "installed" && $1 != "config-files" && $1 != "not-installed") || $2 == "reinstreq" { print $3 }'
  for file in /var/lib/dpkg/updates/[0-9]*; do [ ! -e "$file" ] || { echo dpkg; break; }; done
}
repair() {
  bad=$(broken)
  [ -n "$bad" ] || return 0
  echo "dpkg was interrupted in:" $bad
  how=
  for name; do ! printf '%s\\n' "$bad" | grep -qxF -- "$name" || how=quietly; done
  patiently $how dpkg --force-confold --configure -a || :
  patiently $how $get -f install
}`

const INSTALL = `${BEGIN}
${QUIETLY}
${REPAIR}
hold=$1; shift
eval "$(apt-config shell lists Dir::State::lists/d)"
mkdir -p -- "$lists/partial"
updated=
update() {
  patiently $get update || echo 'The index of packages could not be renewed.' >&2
  updated=1
  touch -- "$lists"
}
recent() { [ -n "$(find "$lists" -maxdepth 1 -name '*_Packages*')" ] && [ -n "$(find "$lists" -maxdepth 0 -mmin -1440)" ]; }
install() { patiently quietly $get --no-install-recommends --no-upgrade install -- "$@"; }
repair "$@"
patiently apt-mark -q unhold -- "$@" >/dev/null 2>&1 || :
recent || update
if ! install "$@"; then
  [ -z "$updated" ] || exit 1
  update
  install "$@"
fi
[ "$hold" = free ] || patiently apt-mark -q hold -- "$@"`

// Of one source: what the others are like does not matter here, and their indexes stay.
const INDEX = `${BEGIN}
eval "$(apt-config shell lists Dir::State::lists/d)"
mkdir -p -- "$lists/partial"
patiently $get -o APT::Update::Error-Mode=any -o APT::Get::List-Cleanup=0 -o Dir::Etc::sourcelist="$1" -o Dir::Etc::sourceparts=/dev/null update`

const HOLD = `${BEGIN}
patiently apt-mark -q "$@"`

const REMOVE = `${BEGIN}
verb=$1; shift
there=
for name; do
  case $verb-$(dpkg-query -W -f '\${db:Status-Status}' "$name" 2>/dev/null || :) in *- | *-not-installed | remove-config-files) ;; *) there="$there $name" ;; esac
done
[ -n "$there" ] || exit 0
others=$(apt-get -s -q remove -- $there | awk '/^Remv / { print $2 }' | grep -vxF -e "$(printf '%s\\n' "$@")" || :)
if [ -n "$others" ]; then
  echo "It would take other packages with it, which are not ours:" $others >&2
  exit 1
fi
patiently $get $verb -- $there`

/** Installs packages without upgrading or starting anything; a dpkg that was interrupted is repaired first. */
export const install = (names: string[], o: { held: boolean; lockWaitS?: number }) =>
  shell(INSTALL, String(o.lockWaitS ?? LOCK_WAIT), o.held ? 'held' : 'free', ...names)

/** Fetches the index of one source, a file of apt's; fails where it is not signed as the file says. */
export const fetchIndex = (file: string) => shell(INDEX, String(LOCK_WAIT), file)

export const setHold = (names: string[], verb: 'hold' | 'unhold') =>
  shell(HOLD, String(LOCK_WAIT), verb, ...names)

/** Removes packages, and with `purge` their configuration and data; fails where others depend on them. */
export const remove = (names: string[], o: { purge?: boolean } = {}) =>
  shell(REMOVE, String(LOCK_WAIT), o.purge ? 'purge' : 'remove', ...names)
