# An OSD leaves for good, in three acts, each of which asks the cluster again. Arguments: the act, the OSD's id and uuid, and for `out` the
# kind of place on which copies lie apart. Exits 9 where it has to stay. One that the monitors no longer know is done with.
#   out      takes it out, when enough places stay for all copies, and the other disks do not become nearly full by its data
#   drained  waits until nothing is on it that the others lack; gives up when nothing moved for 15 minutes
#   purge    forgets it, when that is so
import json, os, sys, time
import rados

act, number, uuid = sys.argv[1], int(sys.argv[2]), sys.argv[3]
name = 'osd.%d' % number
PATIENCE = 15 * 60
WAIT = 30


def end(code, why=''):
    if why:
        print(why, file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


class Refused(Exception):
    pass


def ask(send, prefix, **more):
    code, out, why = send(json.dumps(dict(prefix=prefix, format='json', **more)), b'', timeout=WAIT)
    if code != 0:
        raise Refused('%s: %s' % (prefix, why))
    return json.loads(out) if out.strip() else None


def mons(prefix, **more):
    return ask(cluster.mon_command, prefix, **more)


def manager(prefix, **more):
    return ask(cluster.mgr_command, prefix, **more)


def part(used, total):
    return used / total if total else 2.0


def may_leave(domain):
    dump, tree = mons('osd dump'), manager('osd df', output_method='tree')['nodes']
    known = {one['id']: one for one in tree}
    serves = {one['osd'] for one in dump['osds'] if one['up'] and one['in'] and one['osd'] != number}

    def below(i):
        return [i] if i >= 0 else [leaf for child in known[i].get('children', []) if child in known for leaf in below(child)]

    places = {one['name']: below(one['id']) for one in tree if one['type'] == domain}
    left = {place: [i for i in osds if i in serves] for place, osds in places.items()}
    left = {place: osds for place, osds in left.items() if osds}
    copies = max([pool['size'] for pool in dump['pools']] or [0])
    if len(left) < copies:
        end(9, '%s stays: without it %d %s(s) would be left for %d copies' % (name, len(left), domain, copies))
    if not dump['pools']:
        return
    kb = lambda osds, what: sum(known[i][what] for i in osds)
    here = next((place for place, osds in places.items() if number in osds), None)
    own = known[number]['kb_used'] if number in known else 0
    everyone = [i for osds in left.values() for i in osds]
    used, total = kb(everyone, 'kb_used') + own, kb(everyone, 'kb')
    fullest = max(part(known[i]['kb_used'], known[i]['kb']) for i in everyone)
    after = part(used, total) * max(1, fullest / part(kb(everyone, 'kb_used') or 1, total))
    # With no place more than copies, each holds one of all, and the data stays in its place.
    if len(left) == copies and here in left:
        after = max(after, part(kb(left[here], 'kb_used') + own, kb(left[here], 'kb')))
    if after >= dump['nearfull_ratio']:
        end(9, '%s stays: by its data the others would be %.0f %% full, and %.0f %% is nearly full' % (name, after * 100, dump['nearfull_ratio'] * 100))


def state():
    """What is left to move, as numbers that change while anything does; None when nothing is."""
    pgs = mons('status')['pgmap']
    unclean = sum(one['count'] for one in pgs.get('pgs_by_state', []) if not one['state_name'].startswith('active+clean'))
    rows = [one for one in manager('osd df')['nodes'] if one['id'] == number]
    still = rows[0]['pgs'] if rows else 0
    try:
        safe = number in manager('osd safe-to-destroy', ids=[str(number)])['safe_to_destroy']
    except Refused:
        safe = False
    if safe and unclean == 0:
        return None
    return still, unclean, pgs.get('misplaced_objects', 0) + pgs.get('degraded_objects', 0)


def drained():
    last, since = None, time.monotonic()
    while True:
        try:
            now = state()
        except (Refused, rados.Error) as e:
            # A manager that is being taken over from says nothing for some seconds.
            now, why = last, str(e)
        else:
            if now is None:
                return
            why = '%d placement groups still on it, %d not clean, %d objects to move' % now
        if now != last:
            last, since = now, time.monotonic()
            print(why)
            sys.stdout.flush()
        if time.monotonic() - since > PATIENCE:
            end(1, '%s: nothing moved for 15 minutes: %s' % (name, why))
        time.sleep(2)


try:
    conf = {'client_mount_timeout': '20', 'rados_mon_op_timeout': '30', 'log_to_stderr': 'false', 'keyring': '/etc/ceph/ceph.client.admin.keyring'}
    cluster = rados.Rados(name='client.admin', conffile='/etc/ceph/ceph.conf', conf=conf)
    cluster.connect(timeout=20)
    if not any(one['osd'] == number and one['uuid'] == uuid for one in mons('osd dump')['osds']):
        end(0)
    if act == 'out':
        may_leave(sys.argv[4])
        mons('osd out', ids=[str(number)])
    elif act == 'drained':
        drained()
    elif act == 'purge':
        if state() is not None:
            end(9, '%s stays: not all that is on it is elsewhere' % name)
        sys.stdout.flush()
        os.execvp('ceph', ['ceph', '--connect-timeout', '30', 'osd', 'purge', str(number), '--yes-i-really-mean-it'])
except (Refused, rados.Error) as e:
    end(1, 'Ceph does not say what has to be known: %s' % (e or type(e).__name__))
end(0)
