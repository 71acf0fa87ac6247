# How full the disks are, for the data service of this node, which has no key of Ceph's. Arguments: the file; the part from which on
# writes are refused, in percent.
import datetime, json, os, sys
import rados

file, limit = sys.argv[1], int(sys.argv[2])
WAIT = '8'
RAISED = 'llmagentos/full-ratio'


def ask(send, prefix, **more):
    code, out, why = send(json.dumps(dict(prefix=prefix, format='json', **more)), b'', timeout=8)
    if code != 0:
        raise RuntimeError('%s: %s' % (prefix, why))
    return json.loads(out)


def tell(cluster, prefix, **more):
    code, out, why = cluster.mon_command(json.dumps(dict(prefix=prefix, **more)), b'', timeout=8)
    if code != 0:
        raise RuntimeError('%s: %s' % (prefix, why))


def measured(cluster):
    dump = ask(cluster.mon_command, 'osd dump')
    found = ask(cluster.mgr_command, 'osd df', output_method='tree')['nodes']
    up = {one['osd'] for one in dump['osds'] if one['up'] and one['in']}
    disks = {one['id']: one for one in found if one['type'] == 'osd' and one['id'] in up and one['kb'] > 0}
    if not disks:
        return None
    hosts = [sum(disks[i]['kb'] for i in one['children'] if i in disks) for one in found if one['type'] == 'host']
    hosts = [kb for kb in hosts if kb > 0]
    total, used = sum(one['kb'] for one in disks.values()), sum(one['kb_used'] for one in disks.values())
    fullest = max(one['kb_used'] / one['kb'] for one in disks.values())
    told = {'used': min(1, fullest), 'nearfull': dump['nearfull_ratio'], 'fullAt': limit / 100}
    # With no more hosts than copies, nothing is copied anew when one is lost.
    copies = max([pool['size'] for pool in dump['pools']] or [0])
    if len(hosts) > copies > 0 and used > 0:
        told['withoutOneNode'] = used / (total - max(hosts)) * (fullest / (used / total))
    return told


def put_back(cluster, used):
    """The full ratio that `cluster check --fix` raised, once there is room again below what it was."""
    kept = ask(cluster.mon_command, 'config-key dump', key=RAISED)
    if RAISED not in kept:
        return
    mark = json.loads(kept[RAISED])
    now = ask(cluster.mon_command, 'osd dump')['full_ratio']
    if abs(now - mark['raised']) < 0.0001:
        if used >= mark['was'] - 0.01:
            return
        tell(cluster, 'osd set-full-ratio', ratio=mark['was'])
    tell(cluster, 'config-key rm', key=RAISED)


try:
    conf = {'client_mount_timeout': WAIT, 'rados_mon_op_timeout': WAIT, 'log_to_stderr': 'false', 'keyring': '/etc/ceph/ceph.client.admin.keyring'}
    cluster = rados.Rados(name='client.admin', conffile='/etc/ceph/ceph.conf', conf=conf)
    cluster.connect(timeout=8)
    told = measured(cluster)
except (RuntimeError, rados.Error, KeyError, ValueError) as e:
    # The next run follows in a minute, and whoever reads the file sees how old it is.
    print('how full the disks are is not known: %s' % (e or type(e).__name__))
    sys.stdout.flush()
    os._exit(0)
if told:
    told['at'] = datetime.datetime.now(datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ')
    with open(file + '.new', 'w') as f:
        json.dump(told, f)
    os.chmod(file + '.new', 0o644)
    os.rename(file + '.new', file)
    try:
        put_back(cluster, told['used'])
    except (RuntimeError, rados.Error, KeyError, ValueError) as e:
        print('the full ratio was not put back yet: %s' % (e or type(e).__name__))
sys.stdout.flush()
os._exit(0)
