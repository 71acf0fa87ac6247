# Takes a monitor out of the map, when the others keep their majority without it. Arguments: the name of this node's monitor, that of the
# one that leaves. Exits 9 where it has to stay.
import json, os, sys
import rados

own, name = sys.argv[1:]
conf = {
    'keyring': '/var/lib/ceph/mon/ceph-%s/keyring' % own,
    'client_mount_timeout': '20',
    'rados_mon_op_timeout': '30',
    'log_to_stderr': 'false',
}


def end(code, why=''):
    if why:
        print(why, file=sys.stderr)
    sys.stderr.flush()
    os._exit(code)


def ask(prefix, **more):
    code, out, why = cluster.mon_command(json.dumps(dict(prefix=prefix, format='json', **more)), b'', timeout=30)
    if code != 0:
        end(1, 'the monitors refused "%s": %s (error %d)' % (prefix, why, -code))
    return out


def all_of(names):
    return ', '.join(names) or 'none'


try:
    cluster = rados.Rados(name='mon.', conffile='/etc/ceph/ceph.conf', conf=conf)
    cluster.connect(timeout=20)
    told = json.loads(ask('quorum_status'))
    mons = [mon['name'] for mon in told['monmap']['mons']]
    rest = [mon for mon in mons if mon != name]
    there = [mon for mon in rest if mon in told['quorum_names']]
    missing = [mon for mon in rest if mon not in there]
    if name not in mons:
        end(0)
    if len(there) * 2 <= len(rest):
        end(9, '%s stays: without it %s would have no majority; in the quorum of them: %s' % (name, all_of(rest), all_of(there)))
    if name in told['quorum_names'] and missing:
        end(9, '%s stays: a monitor that works leaves when no other is missing; missing: %s' % (name, all_of(missing)))
    ask('mon rm', name=name)
except rados.Error as e:
    end(1, 'no monitor answered, or they have no quorum: %s' % e)
end(0)
