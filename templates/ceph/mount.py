# Mounts a file system of Ceph, and stays with it: ends when the mount is dead, so that systemd begins anew; a mount that only hangs is waited
# for, because it goes on once Ceph answers. Beneath it lies an empty file system that nobody can write to: what is written while the mount is
# away would else lie in the folder, and hide beneath the next one. Arguments: the folder; the client's name; the file system.
import errno, os, random, signal, socket, subprocess, sys, time, zlib

path, client, system = sys.argv[1:]
LOOK, PATIENCE = 10, 5
DEAD = (errno.ENOTCONN, errno.ESHUTDOWN)
GUARD = 'tmpfs llmagentos'
asked_to_end = []


def mounted():
    """Kind of file system and source of what is mounted there, the uppermost; None for nothing."""
    found = None
    with open('/proc/self/mountinfo') as f:
        for line in f:
            before, after = line.split(' - ', 1)
            if before.split(' ')[4] == path:
                found = ' '.join(after.split(' ')[:2])
    return found


def is_ours(found):
    return found is not None and found.startswith('fuse.ceph')


def say(text):
    where = os.environ.get('NOTIFY_SOCKET')
    if where:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.connect('\0' + where[1:] if where.startswith('@') else where)
            s.sendall(text.encode())


def unmount():
    subprocess.run(['umount', '--lazy', '--', path], stderr=subprocess.DEVNULL)


def fit_to_mount():
    """Ends the program where something is in the way."""
    if is_ours(mounted()):
        try:
            os.statvfs(path)
        except OSError as e:
            if e.errno in DEAD:
                unmount()
    if mounted() == GUARD:
        return
    if mounted() is not None:
        sys.exit('something else is mounted at %s: %s' % (path, mounted()))
    os.makedirs(path, 0o755, exist_ok=True)
    if os.path.realpath(path) != path:
        sys.exit('%s leads elsewhere: %s' % (path, os.path.realpath(path)))
    if os.listdir(path):
        sys.exit('%s is not empty; what is in it would be hidden' % path)
    kind, source = GUARD.split(' ')
    subprocess.run(['mount', '-t', kind, '-o', 'ro,size=4k,nr_inodes=1,mode=0555', source, path], check=True)


def look():
    """A child that asks the mount for its space, and for a name that is not there; a mount may never answer."""
    pid = os.fork()
    if pid:
        return pid
    try:
        os.statvfs(path)
        os.lstat('%s/.llmagentos-%016x' % (path, random.getrandbits(64)))
    except FileNotFoundError:
        os._exit(0)
    except OSError as e:
        os._exit(1 if e.errno in DEAD else 0)
    os._exit(0)


def heard(pid, seconds):
    """Whether the mount lives; None where it said nothing yet."""
    end = time.monotonic() + seconds
    while True:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return status == 0
        if time.monotonic() > end or asked_to_end:
            return None
        time.sleep(0.05)


def stop(ceph):
    """ceph-fuse writes back what it holds, and unmounts."""
    ceph.terminate()
    try:
        ceph.wait(20)
    except subprocess.TimeoutExpired:
        ceph.kill()
    if is_ours(mounted()):
        unmount()


signal.signal(signal.SIGTERM, lambda *_: asked_to_end.append(True))
fit_to_mount()
asok = '/run/ceph/llmagentos-mount-%08x.asok' % zlib.crc32(path.encode())
ceph = subprocess.Popen(['ceph-fuse', '-f', '--id', client, '--client_fs', system, '--admin_socket', asok, path])
asking, ready, since = None, False, time.monotonic()
while not asked_to_end:
    if ceph.poll() is not None:
        if is_ours(mounted()):
            unmount()
        sys.exit('ceph-fuse ended (%d)' % ceph.returncode)
    if not is_ours(mounted()):
        # On its way up, or beneath something else, which is not ours to take away.
        time.sleep(0.2)
        continue
    asking = asking or look()
    lives = heard(asking, PATIENCE)
    if lives is None:
        say('STATUS=it does not answer')
        continue
    asking = None
    if not lives:
        stop(ceph)
        sys.exit('the mount is dead: Ceph no longer knows this client')
    say('STATUS=it answers\nREADY=1')
    for _ in range(LOOK * 5):
        if asked_to_end or ceph.poll() is not None:
            break
        time.sleep(0.2)
stop(ceph)
if mounted() == GUARD:
    unmount()
