# What the mons say, over one connection; secrets leave as digests. Argument: the name of this node's mon.
import hashlib, json, os, socket, struct, sys
import rados

WAIT = '8'
name = sys.argv[1]
store = '/var/lib/ceph/mon/ceph-' + name


def local():
    """The mon of this node, by its socket: it answers without a quorum too."""
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(4)
    try:
        s.connect('/var/run/ceph/ceph-mon.%s.asok' % name)
        s.sendall(b'{"prefix": "mon_status"}\0')
        with s.makefile('rb') as f:
            size = struct.unpack('>I', f.read(4))[0]
            return json.loads(f.read(size))
    except (OSError, struct.error, ValueError):
        return None
    finally:
        s.close()


def ask(cluster, prefix, **more):
    code, out, why = cluster.mon_command(json.dumps(dict(prefix=prefix, format='json', **more)), b'', timeout=8)
    if code != 0:
        raise RuntimeError('%s: %s' % (prefix, why))
    return json.loads(out)


mine = local()
try:
    conf = {'keyring': store + '/keyring', 'client_mount_timeout': WAIT, 'rados_mon_op_timeout': WAIT, 'log_to_stderr': 'false'}
    cluster = rados.Rados(name='mon.', conffile='/etc/ceph/ceph.conf', conf=conf)
    cluster.connect(timeout=8)
except (rados.TimedOut, rados.ObjectNotFound, rados.PermissionDeniedError, rados.PermissionError) as e:
    print(json.dumps({'state': 'refused' if 'ermission' in type(e).__name__ else 'no quorum', 'local': mine}))
    sys.stdout.flush()
    os._exit(0)
try:
    told = {
        'state': 'up',
        'local': mine,
        'status': ask(cluster, 'status'),
        'health': ask(cluster, 'health', detail='detail'),
        'mons': ask(cluster, 'mon dump'),
        'osds': ask(cluster, 'osd dump'),
        'tree': ask(cluster, 'osd tree'),
        'files': ask(cluster, 'fs dump'),
        'versions': ask(cluster, 'versions'),
        'df': ask(cluster, 'df'),
        'config': ask(cluster, 'config dump'),
        'kept': ask(cluster, 'config-key dump', key='llmagentos/'),
        'auth': {
            one['entity']: {'key': hashlib.sha256(one['key'].encode()).hexdigest(), 'caps': one['caps']}
            for one in ask(cluster, 'auth ls')['auth_dump']
        },
    }
except (RuntimeError, rados.Error) as e:
    print('a mon did not answer: %s' % e, file=sys.stderr)
    sys.stderr.flush()
    os._exit(1)
print(json.dumps(told))
sys.stdout.flush()
os._exit(0)
