// Common to both ways of making a mon. Standard input is a keyring. The store is made beside, and gets its name last: half of one never counts.
const BEGIN = `set -eu
name=$1 fsid=$2; shift 2
store=/var/lib/ceph/mon/ceph-$name new=/var/lib/ceph/mon/.$name.new
[ ! -e "$store/store.db" ] || { echo "there is a store already: $store" >&2; exit 1; }
if [ -d "$store" ]; then
  rmdir -- "$store" 2>/dev/null || { echo "$store has files, and is no store of a monitor: move it away" >&2; exit 1; }
fi
work=$(mktemp -d /run/llmagentos-mon.XXXXXX)
trap 'rm -rf -- "$work"' EXIT
chown root:ceph "$work"; chmod 0750 "$work"
(umask 027; cat >"$work/keyring"); chgrp ceph "$work/keyring"
rm -rf -- "$new"
install -d -m 0750 -o ceph -g ceph "$new"`

const END = `chmod 0640 "$work/map"; chgrp ceph "$work/map"
ceph-mon --mkfs --id "$name" --fsid "$fsid" --setuser ceph --setgroup ceph --mon-data "$new" --monmap "$work/map" --keyring "$work/keyring"
sync -f "$new"
mv -T -- "$new" "$store"
sync /var/lib/ceph/mon`

/** For sh: makes a mon of a cluster that begins. Arguments: its name, the fsid, then name and address of all mons. */
export const MAKE_FIRST = `${BEGIN}
set -- $(while [ $# -gt 0 ]; do printf '%s %s %s ' --addv "$1" "$2"; shift 2; done)
monmaptool --create --fsid "$fsid" "$@" "$work/map" >/dev/null
${END}`

/** For sh: makes a mon of a cluster that runs, from its map. Arguments: its name, the fsid. A new one joins when no other is missing. */
export const MAKE_JOINING = `${BEGIN}
mons() { ceph --connect-timeout 20 --name mon. --keyring "$work/keyring" "$@"; }
mons quorum_status --format json >"$work/quorum"
python3 - "$name" "$fsid" "$work/quorum" <<'PYTHON'
import json, sys
name, fsid, path = sys.argv[1:]
told = json.load(open(path))
mons = [mon['name'] for mon in told['monmap']['mons']]
missing = [mon for mon in mons if mon not in told['quorum_names'] and mon != name]
if told['monmap']['fsid'] != fsid:
    sys.exit('the monitors that answer are of another cluster: ' + told['monmap']['fsid'])
if name not in mons and missing:
    sys.exit('a new monitor joins when no other is missing from the quorum; missing: ' + ', '.join(missing))
if len(told['quorum_names']) * 2 <= len(mons):
    sys.exit('the monitors have no majority')
PYTHON
mons mon getmap -o "$work/map" 2>/dev/null
${END}`

/** For python3: exits 0 when the mon of this node, the first argument, is in a quorum with all that are named. */
export const IN_QUORUM = `import json, socket, struct, sys
name, wanted = sys.argv[1], sys.argv[1:]
s = socket.socket(socket.AF_UNIX)
s.settimeout(4)
try:
    s.connect('/var/run/ceph/ceph-mon.%s.asok' % name)
    s.sendall(b'{"prefix": "mon_status"}\\0')
    with s.makefile('rb') as f:
        told = json.loads(f.read(struct.unpack('>I', f.read(4))[0]))
except (OSError, struct.error, ValueError) as e:
    sys.exit('the monitor of %s does not answer: %s' % (name, e))
names = {mon['rank']: mon['name'] for mon in told['monmap']['mons']}
missing = set(wanted) - {names[rank] for rank in told['quorum']}
if missing:
    sys.exit('not in the quorum: %s (%s is %s)' % (', '.join(sorted(missing)), name, told['state']))`
