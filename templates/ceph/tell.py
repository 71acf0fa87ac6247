# Says commands to the mons, in order, until one is refused: standard input is a JSON list of {cmd, in, fine}. Argument: the name of this
# node's mon. What a command is fine with (negative errors) is no failure.
import json, os, sys
import rados

name = sys.argv[1]
conf = {
    'keyring': '/var/lib/ceph/mon/ceph-%s/keyring' % name,
    'client_mount_timeout': '20',
    'rados_mon_op_timeout': '30',
    'log_to_stderr': 'false',
}


def end(code):
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def remember(one):
    """What `config set` made of the value, beside the value: told apart from an edit by hand."""
    code, out, why = cluster.mon_command(json.dumps({'prefix': 'config dump', 'format': 'json'}), b'', timeout=30)
    cmd = one['cmd']
    became = [o['value'] for o in json.loads(out) if o['section'] == cmd['who'] and o['name'] == cmd['name']]
    value = json.dumps({'wanted': one['remember']['wanted'], 'became': became[0]})
    code, out, why = cluster.mon_command(
        json.dumps({'prefix': 'config-key set', 'key': one['remember']['key'], 'val': value}), b'', timeout=30)
    if code != 0:
        print('the monitors refused "config-key set": %s' % why, file=sys.stderr)
        end(1)


commands = json.load(sys.stdin)
try:
    cluster = rados.Rados(name='mon.', conffile='/etc/ceph/ceph.conf', conf=conf)
    cluster.connect(timeout=20)
except rados.Error as e:
    print('no monitor answered within 20 s, or they have no quorum: %s' % e, file=sys.stderr)
    end(1)
for one in commands:
    try:
        code, out, why = cluster.mon_command(json.dumps(dict(one['cmd'], format='json')), one.get('in', '').encode(), timeout=30)
    except rados.Error as e:
        code, why = -110, str(e)
    if code != 0 and code not in one.get('fine', []):
        print('the monitors refused "%s": %s (error %d)' % (one['cmd']['prefix'], why, -code), file=sys.stderr)
        end(1)
    if 'remember' in one:
        remember(one)
end(0)
